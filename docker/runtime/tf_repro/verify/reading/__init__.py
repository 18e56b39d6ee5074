"""What runs have left, read back; nothing here compares."""

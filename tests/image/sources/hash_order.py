"""Hashes of str and bytes, and the order of sets that follows them."""

print(hash("a"), hash(b"a"), {"x", "y", "z", "u", "v", "w"})

"""Tests of the kit, with no engine and no network."""

"""The recorder, on libraries made up here; what it writes of the real ones, tests/image sees."""

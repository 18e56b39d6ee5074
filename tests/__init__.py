"""The tests of the kit and of the runtime."""

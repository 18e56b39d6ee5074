"""What resumes a training, on files and programs made up here; tests/image has the real ones."""

"""What images/matrix.toml asks for, resolved, written down to the last byte, and fetched again.

`lock` is `make lock`; `debs` and `wheels` are the two kinds of packages, `apt` is how Debian's are
had, `cache` are the files that were fetched, and `image_lock` says which bytes an image has to be.
"""

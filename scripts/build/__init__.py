"""From locks to an image in the engine: `make image`, and `make rebuild-check` all over again.

`rootfs` makes the lowest layer, `bake_file` says what buildx is to do, `bake` has it done, and
`record` takes down what was made; `rebuild` compares with `image_diff`.
"""

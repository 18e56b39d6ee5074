"""images/README.md: the page about all images, and the sizes that it shows."""

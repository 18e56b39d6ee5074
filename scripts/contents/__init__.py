"""What is in an image, by its own word: packages, their licences, and the bills of materials.

The bills are in the image, so that nothing here may depend on the day or on the machine.
"""

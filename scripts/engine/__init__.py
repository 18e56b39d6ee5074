"""The Docker engine: the one that answers, what it holds, and a container for one program.

`private_engine` is the one that the kit brings along where none answers.
"""

"""The Docker engine: the one that answers, what it holds, and a container for one program.

`dockerd` is the one that the kit brings along where none answers, of the programs
that `private_engine` unpacks.
"""

"""The order of a set of plain objects, which follows their addresses."""


class Thing:
    """Hashed by its address."""

    def __init__(self, name: int) -> None:
        self.name = name


things = [Thing(number) for number in range(50)]
print([thing.name for thing in set(things)])
print([thing.name for thing in sorted(things, key=lambda thing: hash(thing) % 97)])
print(hash(None) % 1000, hash(print) % 1000)

from types import SimpleNamespace

_context = SimpleNamespace(_rng=None)


def context():
    return _context

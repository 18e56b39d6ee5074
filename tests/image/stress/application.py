"""A web application that keeps threads busy, in whichever process it is loaded."""

import forks

forks.keep_busy()


def application(environ, start_response):
    """Answer nothing."""
    start_response("204 No Content", [])
    return []

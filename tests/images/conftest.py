import pytest

from podman import Container


@pytest.fixture
def container():
    """Makes containers and removes them, running or not, when the test is over."""
    made = []

    def make(image, *options, command=()):
        one = Container(image, *options, command=command)
        made.append(one)
        return one

    yield make
    for one in made:
        one.remove()

"""The feed gives batches in order with their positions, and hands errors on."""

import threading

import pytest

from aim_jax.training.feed import Feed


class Numbers:
    def __init__(self, end=1000):
        self.at, self.end = 0, end

    def __iter__(self):
        return self

    def __next__(self):
        if self.at == self.end:
            raise RuntimeError("the disk is gone")
        self.at += 1
        return self.at

    def get_state(self):
        return {"next": self.at}


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_each_batch_comes_with_the_position_after_it(ahead):
    with Feed(Numbers(), lambda x: 10 * x, ahead) as feed:
        for number in range(1, 20):
            fed = feed.next()
            assert (fed.batch, fed.position) == (10 * number, {"next": number})


def test_no_more_than_asked_is_taken_ahead():
    numbers = Numbers()
    with Feed(numbers, lambda x: x, 2) as feed:
        feed.next()
        threading.Event().wait(0.3)
        assert numbers.at <= 1 + 2 + 1  # given, waiting, and one in hand


@pytest.mark.parametrize("ahead", [0, 2])
def test_errors_come_where_the_batch_would_have(ahead):
    with Feed(Numbers(2), lambda x: x, ahead) as feed:
        assert [feed.next().batch, feed.next().batch] == [1, 2]
        for _ in range(2):
            with pytest.raises(RuntimeError, match="disk"):
                feed.next()

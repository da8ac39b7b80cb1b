"""How rows are divided among compiled batch sizes."""

import itertools

import pytest

from aim_jax.policy.buckets import bucket_sizes, parts


def test_sizes_are_powers_of_two_and_the_largest():
    assert bucket_sizes(1) == (1,)
    assert bucket_sizes(12) == (1, 2, 4, 8, 12)


def test_every_row_is_in_one_part_in_order_and_no_part_is_larger_than_the_largest_bucket():
    seconds = {1: 1.0, 2: 1.5, 4: 2.5, 8: 4.5}
    for count in range(40):
        divided = parts(list(range(count)), seconds)
        assert list(itertools.chain(*divided)) == list(range(count))
        assert all(0 < len(part) <= 8 for part in divided)


def test_padding_is_taken_where_it_is_cheaper_than_another_call():
    linear, flat = {1: 1.0, 2: 2.0, 4: 4.0, 8: 8.0}, {1: 1.0, 2: 1.1, 4: 1.2, 8: 1.3}
    assert sorted(map(len, parts("abcde", linear))) == [1, 4]
    assert list(map(len, parts("abcde", flat))) == [5]


@pytest.mark.parametrize("count", range(1, 20))
def test_no_other_division_is_faster(count):
    seconds = {1: 1.0, 3: 1.9, 4: 2.2, 8: 5.0}

    def cost(sizes):
        return sum(min(s for size, s in seconds.items() if size >= rows) for rows in sizes)

    def divisions(left):
        if not left:
            yield ()
        for first in range(1, min(left, 8) + 1):
            yield from ((first, *rest) for rest in divisions(left - first))

    found = cost(map(len, parts("x" * count, seconds)))
    if count <= 10:
        assert found == pytest.approx(min(map(cost, divisions(count))))
    assert found <= cost([1] * count)

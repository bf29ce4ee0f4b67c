from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pipeline.live.strand import Strand


def test_work_is_done_in_order_and_never_two_pieces_at_once() -> None:
    faults: list[int] = []
    done: dict[int, list[int]] = {number: [] for number in range(8)}
    at_work = [threading.Lock() for _ in done]
    with ThreadPoolExecutor(4) as pool:
        strands = [Strand(pool, lambda: faults.append(1)) for _ in done]

        def piece(strand: int, number: int) -> None:
            assert at_work[strand].acquire(blocking=False)
            done[strand].append(number)
            at_work[strand].release()

        for number in range(200):
            for strand in done:
                strands[strand].do(partial(piece, strand, number))
        ends = [threading.Event() for _ in done]
        for one, end in zip(strands, ends, strict=True):
            one.do(end.set)
        assert all(end.wait(20) for end in ends)
    assert not faults
    assert all(found == list(range(200)) for found in done.values())


def test_a_fault_is_told_and_the_rest_is_done() -> None:
    with ThreadPoolExecutor(1) as pool:
        faults, end = [], threading.Event()
        strand = Strand(pool, lambda: faults.append("told"))
        strand.do(lambda: 1 / 0)
        strand.do(end.set)
        assert end.wait(20)
    assert faults == ["told"]

"""A scheduler and two workers in three network namespaces, joined by a bridge, over TLS."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import certificates
import pytest
from cluster import Cluster, Node
from conftest import REAL

NAME = f"lp{os.getpid() % 10000}"
SUBNET = "10.213.77"


def ip(*words: str) -> None:
    """Run ip, with a CalledProcessError if it cannot do it."""
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def namespace(number: int, stack: ExitStack) -> Node:
    """Make a namespace with one address on the bridge; it goes with the stack."""
    space, outer, inner = f"{NAME}n{number}", f"{NAME}v{number}", "eth0"
    address = f"{SUBNET}.{number + 1}"
    ip("netns", "add", space)
    stack.callback(ip, "netns", "delete", space)
    ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", space)
    ip("link", "set", outer, "master", NAME, "up")
    ip("-n", space, "address", "add", f"{address}/24", "dev", inner)
    ip("-n", space, "link", "set", inner, "up")
    ip("-n", space, "link", "set", "lo", "up")
    return Node(address, ["ip", "netns", "exec", space])


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    """Give three namespaces, or skip."""
    if shutil.which("ip") is None:
        pytest.skip("network namespaces need iproute2")
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with ExitStack() as stack:
        try:
            ip("link", "add", NAME, "type", "bridge")
            stack.callback(ip, "link", "delete", NAME)
            ip("link", "set", NAME, "up")
            nodes = [namespace(number, stack) for number in range(3)]
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine makes no network namespaces: {error.stderr.strip()}")
        yield nodes


def test_the_same_answer_across_three_namespaces(
    nodes: list[Node], stand_in: str, logs: Path, tmp_path: Path
) -> None:
    program = REAL or stand_in
    question = ["--until", "1700000060", str(logs), "h1", "s2"] if REAL else [str(logs), "h1", "s2"]
    line = [program, *question]
    expected = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    with Cluster(tmp_path, program, certificates.make(tmp_path), nodes[0]) as cluster:
        cluster.environment = {"TEST_SLOW": "0.1"}
        workers = [cluster.worker(node) for node in nodes[1:]]
        for worker in workers:
            assert worker.poll() is None
        process = cluster.run("--workers", "2", "--max-partition", "500", *question)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out == expected
        assert f"tls://{SUBNET}.1" in cluster.address
        assert len(set(cluster.working())) == 2, "both workers have counted"

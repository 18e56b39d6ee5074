"""The main job: an unmodified training gives the same bits with us, and others without."""

from scripts.build.build import Built
from scripts.engine.engine import Engine
from scripts.proof import prove
from tests.image.conftest import Kit


def test_an_unmodified_training_is_identical_and_the_control_is_not(
    kit: Kit,
    built: Built,
    host: Engine,  # noqa: ARG001 - both are there before the time runs
) -> None:
    status, said = kit("prove")
    assert status == 0, said
    assert "tf-repro: 3 of 3 identical. Control (TF_REPRO=off): 3 different of 3." in said
    assert built.config_digest in said
    assert said.count("the published bits") == 2  # of the example, and of ops on this processor
    assert "NOT the published" not in said
    source = prove.INPUTS[0].read_text()
    assert "tf_repro" not in source
    assert "seed" not in source.split('"""', 2)[2]

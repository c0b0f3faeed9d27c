"""Damage to a checkpoint folder is noticed, or does no harm: three hundred times."""

from tests.durability.mutations import mutations

COUNT = 300


def test_damage_is_noticed_or_harmless():
    wrong = [
        f"{done}: {problem}\nagain: python -m tests.durability mutations --count 1 --seed {seed}"
        for seed, done, problem in mutations(1, COUNT)
    ]
    assert wrong == []

"""The sequencer/1 suite and model on a sound provider, and on providers with one defect each."""

import pytest
from core_caps.contract.sequencer import CONTRACT

from . import broken_sequencer
from .model_harness import ModelTests
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05", "S3-13")

TRIAL = Trial(
    CONTRACT,
    broken_sequencer,
    broken_sequencer.SoundSequencer,
    broken_sequencer.Service,
    guarantees={"consistency": "linearizable"},
    limits=broken_sequencer.LIMITS,
    caught_by={
        "NumbersHaveGaps": "what_comes_is_numbered_without_a_gap",
        "StartsFromZero": "what_comes_is_numbered_without_a_gap",
        "KeysAreFolded": "what_comes_is_numbered_without_a_gap",
        "RepeatIsInserted": "a_repeat_has_its_first_number",
        "RepeatIsSeenNow": "a_repeat_has_its_first_number",
        "RepeatTakesANumber": "a_repeat_has_its_first_number",
        "ForgetsInADay": "a_repeat_has_its_first_number",
        "CollisionUnnoticed": "another_payload_collides",
        "PayloadsAreFolded": "another_payload_collides",
        "NamesNoKey": "another_payload_collides",
        "LooksThenInserts": "of_many_at_once_each_has_its_number",
        "KeysAreCut": "the_longest_key_works_and_one_byte_more_does_not",
        "TripsOverTypes": "an_argument_of_another_type_is_refused",
        "EmptyIsAKey": "an_empty_key_is_refused",
        "OpenAfterClose": "a_closed_client_refuses_every_operation",
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = ("the_longest_key_works_and_one_byte_more_does_not",)
    anyway = ("another_payload_collides",)

    test_undeclared_operation_is_noticed = None  # there is one operation, and it is declared


class TestModel(ModelTests):
    trial = TRIAL
    told_apart = (
        "NumbersHaveGaps",
        "RepeatIsInserted",
        "RepeatTakesANumber",
        "CollisionUnnoticed",
    )

"""A random sample of people who are visited again (抽样回访), to see whether what the register says is so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

from contracts.registry import SampleAnswered, SampleDrawn
from events import Aggregate, Event, NotFound, Refused


@dataclass(frozen=True, slots=True)
class Sample:
    """Who was drawn, and what was found."""

    drawn: SampleDrawn | None = None
    answers: Mapping[str, SampleAnswered] = field(default_factory=dict[str, SampleAnswered])


@dataclass(frozen=True, slots=True)
class DrawSample:
    """So many of these people, at random. `seed` comes from outside, and cannot be known before."""

    sample: str
    period: str
    grid: str
    people: Sequence[str]
    size: int
    seed: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found on the spot."""

    person: str
    right: bool
    wrong: tuple[str, ...]
    by: str
    at: datetime


class NotDrawn(Refused):
    """They are not in the sample."""

    reason = "not-drawn"


def drawn(people: Sequence[str], size: int, seed: int) -> tuple[str, ...]:
    """At most so many of them, each with the same chance; the same for the same seed, whatever their order."""
    everybody = sorted(people)
    return tuple(sorted(Random(seed).sample(everybody, min(size, len(everybody)))))  # noqa: S311  # the seed is secret


def decide(sample: Sample, command: DrawSample | Answer) -> Sequence[Event]:
    """A sample is drawn once; who answers again says something else. Raises NotFound, NotDrawn."""
    match command:
        case DrawSample(id_, period, grid, people, size, seed, by, at):
            if sample.drawn:
                return []
            if not people:
                raise NotFound("nobody is here to be visited")
            persons = drawn(people, size, seed)
            return [SampleDrawn(sample=id_, period=period, grid=grid, persons=persons, seed=seed, by=by, at=at)]
        case Answer(person, right, wrong, by, at):
            if sample.drawn is None:
                raise NotFound("there is no such sample")
            if person not in sample.drawn.persons:
                raise NotDrawn("they are not in this sample")
            known = sample.answers.get(person)
            if known and (known.right, known.wrong) == (right, wrong):
                return []
            answered = SampleAnswered(sample=sample.drawn.sample, person=person, right=right, wrong=wrong, by=by, at=at)
            return [answered]


def evolve(sample: Sample, event: Event) -> Sample:
    """The sample after an event."""
    match event:
        case SampleDrawn():
            return replace(sample, drawn=event)
        case SampleAnswered():
            return replace(sample, answers={**sample.answers, event.person: event})
        case _:
            return sample


SAMPLE = Aggregate("sample", Sample(), decide, evolve, (SampleDrawn, SampleAnswered))

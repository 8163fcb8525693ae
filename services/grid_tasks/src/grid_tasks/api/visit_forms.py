"""The forms of visits, public: what is asked at a door stands here."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from contracts.common import Title
from edge import Call, Page, Router
from pydantic import BaseModel, Field

from grid_tasks.api.powers import Powers
from grid_tasks.domain.visit_forms import FORMS, Form, form_of
from grid_tasks.domain.visit_refusals import NotByTheForm

router = Router(prefix="/visit-forms", tags=["visits"])

MOST_ERRORS = 20


class FormView(BaseModel):
    """A version of a form."""

    form: str
    version: int
    title: Title
    answers: dict[str, Any] = Field(description="JSON Schema 2020-12 of the answers")


@router.get("", power=Powers.READ_DUTIES)
async def forms(call: Call) -> Page[FormView]:
    """What is asked at visits, by form and version, on one page. Phones may answer by an older version."""
    return Page[FormView](items=[_view(it) for it in FORMS], next=None)


def require_by_the_form(name: str, version: int, answers: Mapping[str, Any]) -> None:
    """Raises NotByTheForm unless the answers are as this version of the form asks."""
    if form_of(name, version) is None:
        raise NotByTheForm([{"field": "form", "message": "没有这一表单或版本 / there is no such form or version"}])
    errors = [
        {"field": ".".join(map(str, ("answers", *error.absolute_path))), "message": str(error.validator)}
        for error in _validator(name, version).iter_errors(dict(answers))
    ]
    if errors:
        raise NotByTheForm(errors[:MOST_ERRORS])


@cache
def _validator(name: str, version: int) -> Any:
    """Made when it is needed: a process that takes no answers does not load the library."""
    from jsonschema import Draft202012Validator

    form = form_of(name, version)
    assert form is not None  # noqa: S101  # looked for before
    return Draft202012Validator(form.schema)


def _view(it: Form) -> FormView:
    return FormView(form=it.form, version=it.version, title=it.title, answers=dict(it.schema))

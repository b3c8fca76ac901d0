"""What people type and choose on cards and in dialogs; a card's form follows from its mapping."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import CharField, Field
from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupling.queries.cards import Card
from coupling.wording import WINNERS, shown_value
from crmsync.frame.fields import PlainText, VisibleText
from crmsync.ledger.models import LedgerRecord
from crmsync.mapping.captions import caption_of
from crmsync.mapping.conversions import Email, Lookup
from crmsync.mapping.types import FieldMapping, TableMapping
from crmsync.sync.services.excluding import REASON_LENGTH
from crmsync.terms import Direction, FirstWinner
from crmsync.visible import misleads


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that somebody else changed while this person changed it, too."""

    caption: str
    stands: str
    entered: str


@dataclass(frozen=True, slots=True)
class FormGroup:
    """Fields of a card under their caption; ``computed`` are captions and values to read."""

    caption: str
    fields: tuple[BoundField, ...]
    computed: tuple[tuple[str, str], ...]


class RecordForm(forms.ModelForm[LedgerRecord]):
    """The card of one record. Each field brings along what it held when the page was made.

    So what the person changed is told apart from what others changed meanwhile.
    """

    def __init__(self, card: Card, data: Mapping[str, Any] | None, *, is_editable: bool) -> None:
        super().__init__(data, instance=card.record)
        self.card = card
        for name, field in self.fields.items():
            mapped = _mapped(card.mapping, name)
            is_kept_there = bool(
                mapped
                and mapped.takes_part
                and card.facts.coupling
                and mapped.direction is Direction.FROM_CRM
            )
            field.disabled = is_kept_there or not is_editable
            field.show_hidden_initial = not field.disabled
            if is_kept_there:
                field.help_text = _("Kept in Sales: change it there.")
            elif is_editable and not field.required and mapped and _is_needed(mapped):
                field.help_text = _needed(mapped)

    def clean(self) -> dict[str, Any]:
        """What people find a record by can be typed; what stood there before may stay."""
        super().clean()
        self._clean_addresses()
        mapping = self.card.mapping
        for name in {mapping.number, mapping.title} & set(self.changed_data):
            if misleads(str(self.cleaned_data.get(name) or "")):
                self.add_error(
                    name,
                    gettext(
                        "It holds control characters, which cannot be seen: type it anew instead "
                        "of pasting it."
                    ),
                )
        return self.cleaned_data

    def _clean_addresses(self) -> None:
        """Where an e-mail address belongs, one or several divided by semicolons."""
        for name in self.changed_data:
            mapped = _mapped(self.card.mapping, name)
            if mapped and isinstance(mapped.conversion, Email):
                addresses = str(self.cleaned_data.get(name) or "").split(";")
                if any(not _is_address(one.strip()) for one in addresses if one.strip()):
                    self.add_error(name, gettext("Give an address like sales@example.com."))

    @property
    def groups(self) -> Iterator[FormGroup]:
        for caption, names in groups_of(self.card.mapping):
            bound = (self[one] for name in names if (one := _name(self.card.mapping, name)))
            yield FormGroup(str(caption), tuple(bound), tuple(self._computed(names)))

    def _computed(self, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        mapping = self.card.mapping
        for name in names:
            if name in mapping.computed:
                value = getattr(self.card.record, name)
                yield caption_of(mapping, name), shown_value(mapping, name, value)

    @property
    def changed_values(self) -> dict[str, Any]:
        """What the person changed, by attribute."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def clashes(self) -> list[Clash]:
        """Fields that changed on both hands since the page was made, unless to the same value."""
        return [
            Clash(
                str(self[name].label),
                self._worded(name, self.initial.get(name)),
                self._worded(name, self.cleaned_data[name]),
            )
            for name in self.changed_data
            if self._changed_meanwhile(name)
        ]

    def _changed_meanwhile(self, name: str) -> bool:
        field, present = self.fields[name], self.initial.get(name)
        seen = self.data.get(self[name].html_initial_name)
        is_same_now = not field.has_changed(present, self.data.get(self[name].html_name))
        return field.has_changed(present, seen) and not is_same_now

    def _worded(self, name: str, value: Any) -> str:
        field = self.fields[name]
        if isinstance(field, forms.ModelChoiceField) and value and field.queryset is not None:
            return str(field.queryset.filter(pk=getattr(value, "pk", value)).first() or "")
        return shown_value(self.card.mapping, name, value)

    def as_seen_now(self, present: "RecordForm") -> dict[str, Any]:
        """Data of a form that shows what the person entered over what stands now."""
        data: dict[str, Any] = {}
        for name, field in present.fields.items():
            bound = present[name]
            stands = field.prepare_value(present.initial.get(name))
            stands = "" if stands is None else str(stands)
            entered = self.data.get(bound.html_name, "")
            data[bound.html_name] = entered if name in self.changed_data else stands
            data[bound.html_initial_name] = stands
        return data


def card_form(
    card: Card, data: Mapping[str, Any] | None = None, *, is_editable: bool
) -> RecordForm:
    """The form of a record's card: the groups of its mapping, of fields that can be edited."""
    mapping = card.mapping
    names = [name for _, names in groups_of(mapping) for name in names]
    model_fields = [one for name in names if (one := _name(mapping, name))]
    made = forms.modelform_factory(
        mapping.ledger,
        form=RecordForm,
        fields=model_fields,
        field_classes={name: VisibleText for name in model_fields if _is_text(mapping, name)},
        error_messages={
            mapping.number: {
                "unique": gettext("Another record has this number: give another one."),
                "required": gettext("Every record has a number: give one that is not taken."),
            }
        },
    )
    # The factory promises no more than a ModelForm; it made a RecordForm.
    return cast(type[RecordForm], made)(card, data, is_editable=is_editable)


def groups_of(mapping: TableMapping) -> list[tuple[str | Promise, tuple[str, ...]]]:
    """Captions and attribute names; what no group names stands in a last one."""
    groups = [(group.caption, group.fields) for group in mapping.groups]
    named = {name for _, names in groups for name in names}
    everything = dict.fromkeys((mapping.number, *(one.ledger for one in mapping.fields)))
    rest = tuple(name for name in everything if name not in named)
    if rest:
        groups.append((_("Other") if groups else _("General"), rest))
    return groups


def _name(mapping: TableMapping, attribute: str) -> str:
    """The model field's name (``currency`` for ``currency_id``); blank for a computed value."""
    if attribute in mapping.computed:
        return ""
    return str(mapping.ledger._meta.get_field(attribute).name)


def _is_text(mapping: TableMapping, name: str) -> bool:
    return type(mapping.ledger._meta.get_field(name)) is CharField


def _mapped(mapping: TableMapping, name: str) -> FieldMapping | None:
    field = mapping.ledger._meta.get_field(name)
    attribute = field.attname if isinstance(field, Field) else name
    return next((one for one in mapping.fields if one.ledger == attribute), None)


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _is_needed(mapped: FieldMapping) -> bool:
    """A lookup that must not be blank has a meaning for blank, as the books' own currency."""
    return mapped.is_required and not isinstance(mapped.conversion, Lookup)


def _needed(mapped: FieldMapping) -> str:
    if mapped.direction.writes_crm:
        return gettext("Sales needs a value here.")
    return gettext("Needed for synchronization.")


def _recommended(winner: FirstWinner) -> str:
    return gettext("%(choice)s (recommended for this table)") % {"choice": WINNERS[winner]}


class CoupleForm(forms.Form):
    """The pair that a page showed, who wins, and whether to synchronize at once."""

    crm = forms.UUIDField(widget=forms.HiddenInput)
    winner = forms.ChoiceField(choices=[(one.value, one.value) for one in FirstWinner])
    synchronizes = forms.BooleanField(required=False)


class WinnerForm(forms.Form):
    """Who wins at the first synchronization."""

    winner = forms.ChoiceField(
        label=_("At the first synchronization"),
        widget=forms.RadioSelect,
        choices=[(one.value, WINNERS[one]) for one in FirstWinner],
    )

    def recommend(self, winner: FirstWinner) -> None:
        """Say so beside the choice."""
        field = cast(forms.ChoiceField, self.fields["winner"])
        field.choices = [
            (one.value, _recommended(one) if one is winner else WINNERS[one]) for one in FirstWinner
        ]


class ReasonForm(forms.Form):
    """Why records are left out."""

    reason = PlainText(
        label=_("Reason"),
        help_text=_("Others read it later, such as: duplicate of customer 10000."),
        max_length=REASON_LENGTH,
        error_messages={"required": _("Say in a few words why, so that others understand it.")},
    )

"""What a person sets in an app: values for the flat JSON Schema that the manifest's ``settings`` is."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from apps_registry.manifest import ORDER
from apps_registry.schema_errors import Details, SettingValidator, explain
from dotplatform.api.errors import ValidationFailed, in_both_languages


def properties_of(members: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings an app has, in the author's order: name → its rule."""
    schema = members.get("settings", {})
    found: dict[str, dict[str, Any]] = schema.get("properties", {})
    order = [name for name in schema.get(ORDER, []) if name in found]
    return {name: found[name] for name in dict.fromkeys([*order, *found])}


def effective_settings(members: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    """What the app is given: the person's choice where it (still) fits its rule, else the default."""
    values = {}
    for name, rule in properties_of(members).items():
        if name in chosen and SettingValidator(rule).is_valid(chosen[name]):
            values[name] = chosen[name]
        elif "default" in rule:
            values[name] = rule["default"]
    return values


def merged_settings(members: dict[str, Any], chosen: dict[str, Any], changes: object) -> dict[str, Any]:
    """*chosen* with *changes* put over it; None takes a choice back. ``ValidationFailed`` names each wrong one."""
    if not isinstance(changes, dict):
        raise ValidationFailed.of("settings", _("Expected a JSON object."))
    rules = properties_of(members)
    details: Details = {}
    for name, value in changes.items():
        if name not in rules:
            details[f"settings.{name}"] = [in_both_languages(_("This app has no such setting."))]
        elif value is not None and (found := explain(SettingValidator(rules[name]).iter_errors(value))):
            details[f"settings.{name}"] = [message for messages in found.values() for message in messages]
    merged = {name: value for name, value in {**chosen, **changes}.items() if value is not None and name in rules}
    effective = effective_settings(members, merged)
    for name in members.get("settings", {}).get("required", []):
        if name not in effective and f"settings.{name}" not in details:
            details[f"settings.{name}"] = [in_both_languages(_("This setting is needed."))]
    if details:
        raise ValidationFailed(details=details)
    return merged

"""The operators' table of variables is the settings', no more and no less."""

from __future__ import annotations

from dotplatform.operations import variables


def test_every_variable_of_the_settings_is_in_the_table_and_no_other() -> None:
    assert variables.names_in_settings() == set(variables.VARIABLES)


def test_the_page_holds_the_table_as_it_is() -> None:
    page = variables.PAGE.read_text()
    assert variables.written(page) == page, "run: python -m dotplatform.operations.variables"

"""The keys of each dialog."""

from __future__ import annotations

from natster_tui.tui.keys.key import Key

GO_TO_FIELD = (
    Key("go_to.open", "enter", "screen.open", "open", shown="Enter"),
    Key("go_to.travel", "ctrl+t", "screen.travel", "travel there", shown="^t"),
    Key("go_to.close", "escape", "screen.dismiss", "close", shown="Esc"),
)
GO_TO_BOX = (
    Key("go_to.down", "down", "move(1)"),
    Key("go_to.up", "up", "move(-1)"),
    Key("go_to.page_down", "pagedown", "page(1)"),
    Key("go_to.page_up", "pageup", "page(-1)"),
)
HELP_FIELD = (
    Key("help.topics", "ctrl+t", "screen.topics", "topics", shown="^t"),
    Key("help.leave", "escape", "screen.leave", "close", shown="Esc"),
    Key("help.down", "down", "screen.scroll(1)"),
    Key("help.up", "up", "screen.scroll(-1)"),
    Key("help.page_down", "pagedown,enter", "screen.page(1)"),
    Key("help.page_up", "pageup", "screen.page(-1)"),
)
TOPICS = (
    Key("topics.close", "escape,q,question_mark", "dismiss", "close", shown="Esc"),
    Key("topics.open", "enter", "choose", "read", shown="Enter"),
    Key("topics.down", "j,down", "move(1)"),
    Key("topics.up", "k,up", "move(-1)"),
)
TOPIC = (
    Key("topic.close", "escape,q,enter", "dismiss", "close", shown="Esc"),
    Key("topic.down", "j,down", "scroll(1)"),
    Key("topic.up", "k,up", "scroll(-1)"),
    Key("topic.page_down", "pagedown,space", "scroll(20)"),
    Key("topic.page_up", "pageup", "scroll(-20)"),
)
PAGE = (
    Key("page.down", "j,down", "next_link(1)"),
    Key("page.up", "k,up", "next_link(-1)"),
    Key("page.page_down", "pagedown,space", "page(1)"),
    Key("page.page_up", "pageup", "page(-1)"),
    Key("page.first", "g,home", "scroll_home"),
    Key("page.last", "G,end", "scroll_end"),
    Key("page.follow", "enter", "follow", "go there", shown="Enter"),
)
PAGE_SCREEN = (
    Key("page.search", "slash", "search", "find", shown="/"),
    Key("page.next", "n", "match(1)", "next"),
    Key("page.previous", "N", "match(-1)", "previous"),
    Key("page.close", "escape", "leave", "close", shown="Esc"),
    Key("page.close_at_once", "q", "close"),
    Key("page.enter", "enter", "enter"),
)
PAGE_SEARCH = (
    Key("page.searched", "enter", "screen.searched", "keep", shown="Enter"),
    Key("page.next_typed", "down", "screen.match(1)", "next", shown="↓"),
    Key("page.previous_typed", "up", "screen.match(-1)", "previous", shown="↑"),
    Key("page.end_search", "escape", "screen.leave", "end", shown="Esc"),
)
COMMUNITY = (
    Key("community.close", "m", "close"),
    Key("community.copy", "y", "copy", "copy the candidates"),
)
PUBLISH = (
    Key("publish.publish", "f2,ctrl+s", "publish", "publish"),
    Key("publish.cancel", "escape", "leave", "cancel", shown="Esc"),
)
PUBLISH_FIELD = (
    Key("publish.next", "enter", "screen.next_field", "next field", shown="Enter"),
    Key("publish.down", "down", "screen.choose(1)", "choose", shown="↓"),
    Key("publish.up", "up", "screen.choose(-1)"),
    Key("publish.publish_typed", "f2,ctrl+s", "screen.publish", "publish", shown="F2"),
    Key("publish.cancel_typed", "escape", "screen.leave", "cancel", shown="Esc"),
)
WHY = (
    Key("why.field", "slash", "field", "one field", shown="/"),
    Key("why.close", "escape", "leave", "close", shown="Esc"),
    Key("why.close_at_once", "q,w", "dismiss(None)"),
)
REASONS = (Key("why.open", "enter", "choose", "go to the event", shown="Enter"),)
CHECKS = (
    Key("checks.up", "up,k", "move(-1)"),
    Key("checks.down", "down,j", "move(1)"),
    Key("checks.press", "enter", "press", "choose", shown="Enter"),
    Key("checks.toggle", "space", "press"),
)
VERIFY = (Key("verify.rebuild", "r", "rebuild", "rebuild these"),)
REBUILD = (
    Key("rebuild.compare", "enter", "replay", "replay and compare", shown="Enter"),
    Key("rebuild.purge", "P", "purge", "purge first"),
    Key("rebuild.write", "w", "write", "write the changes"),
    Key("rebuild.delete_consumers", "D", "delete_consumers", "delete what is left"),
)
REBUILD_NAME = (Key("rebuild.go_on", "enter", "submit", "go on", shown="Enter"),)
VERSIONS = (
    Key("versions.choose", "v", "choose", "another version"),
    Key("versions.json", "J", "json", "whole documents"),
    Key("versions.promote", "p", "promote", "promote"),
    Key("versions.write", "w", "write", "make it the stored one"),
    Key("versions.drop", "x", "drop", "drop"),
)
CONFIRM = (
    Key("confirm.yes", "y", "dismiss(True)", "yes"),
    Key("confirm.no", "escape,n", "dismiss(False)", "no", shown="Esc"),
)
CONFIRM_NAME = (
    Key("confirm_name.go_on", "enter", "screen.compare", "go on", shown="Enter"),
    Key("confirm_name.cancel", "escape", "screen.dismiss(False)", "cancel", shown="Esc"),
)

FORMS = (
    (*GO_TO_FIELD, *GO_TO_BOX),
    (*PUBLISH_FIELD, *PUBLISH),
    CONFIRM_NAME,
    HELP_FIELD,
    PAGE_SEARCH,
    REBUILD_NAME,
)
"""The dialogs with a text field, in which letters are typed."""
DIALOGS = (
    *FORMS,
    TOPICS,
    TOPIC,
    (*PAGE, *PAGE_SCREEN, *COMMUNITY),
    (*WHY, *REASONS),
    (*PAGE, *PAGE_SCREEN, *VERIFY),
    (*PAGE, *PAGE_SCREEN, *CHECKS, *REBUILD),
    (*PAGE, *PAGE_SCREEN, *VERSIONS),
    CONFIRM,
)
"""The keys of each dialog; those in one tuple work at the same time."""

"""The members of the made-up community: their names, kinds, and what they share."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

LONGEST_NAME = 32
"""Characters of a catalog name that the story makes up, at most."""

UNUSABLE_NAMES = ("bad$name", "mix+tape", "live@home", "b-sides!", "100%-vinyl")
"""Catalog names that no projection accepts."""

PLACES = (
    "Porto", "Leeds", "Accra", "Lima", "Turku", "Osaka", "Ghent", "Tunis", "Quito", "Pune",
    "Cork", "Split", "Graz", "Durban", "Perth", "Windhoek", "Nantes", "Bergen", "Halifax", "Hilo",
)  # fmt: skip

_ARTICLES = frozenset({"the", "los", "die", "las"})


@dataclass(frozen=True, slots=True)
class AccountKind:
    """A kind of account: the themes of its catalogs, and the words added when it is renamed."""

    themes: tuple[str, ...]
    renamed_to: str


PERSON = AccountKind(
    (
        "field-recordings", "kitchen-sessions", "super8-transfers", "night-walks", "found-sounds",
        "birdsong-mornings", "travel-sketches", "family-tapes", "voice-memos", "darkroom-scans",
        "train-window-films", "four-track-demos", "street-corners", "sunday-covers",
        "winter-swims", "garden-timelapse", "harbour-fog", "piano-in-the-hall",
    ),
    " & Friends",
)  # fmt: skip
BAND = AccountKind(
    (
        "tour-diaries", "rehearsal-tapes", "live-at-the-barn", "b-sides", "van-playlist",
        "setlist-archive", "encore-takes", "soundcheck-reels", "fan-footage", "acoustic-set",
        "studio-outtakes", "bootlegs-we-like", "album-two-sketches", "festival-cuts",
    ),
    " Ensemble",
)  # fmt: skip
LABEL = AccountKind(
    (
        "promo-masters", "vinyl-transfers", "back-catalogue", "press-kits", "sampler",
        "cover-art", "reissues", "test-pressings", "liner-notes", "radio-edits", "compilations",
    ),
    " International",
)  # fmt: skip
STUDIO = AccountKind(
    (
        "rough-mixes", "mixdowns", "stems", "foley-library", "room-tones", "impulse-responses",
        "mastering-refs", "tape-loops", "session-notes", "drum-takes", "overdubs",
    ),
    " Annex",
)  # fmt: skip

CAST: tuple[tuple[AccountKind, str], ...] = (
    *(
        (PERSON, name)
        for name in (
            "Mira Halloran", "Tomás Ibarrola", "Anouk Vestergaard", "Kwabena Tettenu",
            "Priya Ranganathan", "Jonas Feldweg", "Leilani Kahalepo", "Oksana Drobysh",
            "Bilal Temsaman", "Noémie Carradec", "Hiro Matsukage", "Esi Boatemaa",
            "Callum Strathmore", "Zeynep Altınay", "Rosa Quintanal", "Dilnoza Karimbek",
            "Ewan Mossgiel", "Thandeka Mbusi", "Ingrid Solbakken", "Farid Nazhand",
            "Lupe Arrizola", "Wren Ashgrove", "Mateo Villacorte", "Saoirse Dunleary",
            "Nguyệt Lâm", "Odalys Benamor",
        )
    ),
    *(
        (BAND, name)
        for name in (
            "The Lukewarm Kettles", "Static Orchard", "Two Left Slippers", "Kumo 雲",
            "Harbour Moths", "Tin Roof Cartographers", "Slow Bicycle Parade",
            "The Borrowed Umbrellas", "Midnight Allotment", "Goat Lantern Quartet",
            "Pocketful of Gravel", "Los Relojes Tardíos", "Half Past Tuesday",
            "The Quiet Plumbers", "Salt Flat Choir", "Moss & Murmur", "Paper Submarine Club",
            "Die Lauten Nachbarn", "Ferris Wheel Repair", "Ondas del Patio",
            "Cardboard Comets", "The Unpaid Triangles",
        )
    ),
    *(
        (LABEL, name)
        for name in (
            "Brass Acorn Records", "Wobbly Needle", "Pigeon Loft Tapes", "Low Tide Editions",
            "Second Attic", "Lemon Crate Records", "Night Ferry Recordings",
            "Gentle Hiss Cassettes", "Ninth Shelf Music", "Copper Kite Editions",
        )
    ),
    *(
        (STUDIO, name)
        for name in (
            "Blue Door Mixing", "Cellar Fourteen", "Rain Barrel Sound", "The Foley Pantry",
            "Treehouse Mastering", "Zwiebel Studio", "Old Dairy Sound", "Patchbay Cottage",
            "Corner Booth Audio", "Kiln Street Studio",
        )
    ),
)  # fmt: skip


def slug_of(name: str) -> str:
    """The first word of a name that is not an article, as a part of a catalog's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = ("".join(filter(str.isalnum, word)) for word in plain.split())
    return next(word for word in words if word and word not in _ARTICLES)

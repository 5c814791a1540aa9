"""What people read, in both languages from one place."""

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """A language that a dashboard comes in."""

    EN = "en"
    ZH = "zh"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in English and Chinese."""

    en: str
    zh: str

    def __post_init__(self) -> None:
        if not self.en or not self.zh:
            raise ValueError(f"text {self.en or self.zh!r}: needs both languages")

    def of(self, language: Language) -> str:
        """The text in a language."""
        return self.en if language is Language.EN else self.zh

"""What a takedown draft says of whoever complains; nothing else is done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from batchscan.settings.declaring import setting
from batchscan.settings.kinds import Choice, FilePath, Line

Role = Literal["owner", "agent"]


@dataclass(frozen=True, slots=True)
class Takedown:
    """Who complains, for takedown drafts; what is not given stands there as a blank."""

    name: str | None = setting(None, "who signs: a person's full name", Line())
    organization: str | None = setting(None, "the firm that the signer speaks for", Line())
    address: str | None = setting(None, "the whole postal address, in quotes", Line())
    phone: str | None = setting(None, "a telephone number, in quotes", Line())
    email: str | None = setting(None, "where sites answer to; they may publish it", Line())
    role: Role | None = setting(
        None, "in what right the signer acts: owner of the works, or agent", Choice(get_args(Role))
    )
    owner: str | None = setting(None, "whose works they are, where the signer is an agent", Line())
    template_md: str | None = setting(
        None, "a Jinja2 template of your own for the Markdown draft", FilePath("the path of a file")
    )
    template_txt: str | None = setting(
        None, "and one for the plain text", FilePath("the path of a file")
    )

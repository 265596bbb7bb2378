"""What `benchmarks.recall` tells and asks: twenty facts in French and English, and small talk."""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A fact that a person tells, the question for it later, and words that a right answer holds.

    `expected` is a pattern, matched to whole words of the answer in lower case without accents.
    """

    language: str
    told: str
    asked: str
    expected: str


PAIRS = (
    Pair("fr", "Bonjour, je m'appelle Tom.", "Comment je m'appelle ?", "tom"),
    Pair("fr", "J'ai 2 chats.", "Combien de chats ai-je ?", "2|deux"),
    Pair("fr", "Mon chien s'appelle Filou.", "Quel est le nom de mon chien ?", "filou"),
    Pair("fr", "J'habite à Concarneau.", "Dans quelle ville est-ce que j'habite ?", "concarneau"),
    Pair("fr", "Je suis soudeur sur le chantier.", "Quel est mon métier ?", "soudeur|soudure"),
    Pair("fr", "J'ai 47 ans.", "Quel âge ai-je ?", "47|quarante-sept"),
    Pair("fr", "Ma couleur préférée est le vert.", "Quelle est ma couleur préférée ?", "verte?"),
    Pair("fr", "Ma collègue s'appelle Solène.", "Comment s'appelle ma collègue ?", "solene"),
    Pair("fr", "Je suis allergique aux noix.", "À quoi suis-je allergique ?", "noix"),
    Pair("fr", "Mon bureau est le numéro 318.", "Quel est le numéro de mon bureau ?", "318"),
    Pair("en", "Hello, my name is Marta.", "What is my name?", "marta"),
    Pair("en", "I have 3 sisters.", "How many sisters do I have?", "3|three"),
    Pair("en", "My boat is called Albatross.", "What is my boat called?", "albatross"),
    Pair("en", "I was born in Dundee.", "Where was I born?", "dundee"),
    Pair("en", "I work as a rigger.", "What is my job?", "rigger|rigging"),
    Pair(
        "en", "My birthday is on 14 May.", "When is my birthday?", "may 14(th)?|14(th)?( of)? may"
    ),
    Pair("en", "My favourite drink is tea.", "What is my favourite drink?", "tea"),
    Pair("en", "My manager is called Olga.", "What is my manager called?", "olga"),
    Pair("en", "I drive a red van.", "What colour is my van?", "red"),
    Pair("en", "My locker is number 52.", "What is my locker's number?", "52|fifty-two"),
)

# Between the two: questions that have nothing to do with the fact, and answers to them.
TALK = {
    "fr": (
        ("À quoi sert une boussole ?", "Elle montre le nord, donc la direction à suivre."),
        ("Comment éviter la rouille ?", "En gardant le métal sec, puis peint ou galvanisé."),
        ("Qu'est-ce qu'un tableur ?", "Un programme qui calcule dans des cases, en lignes."),
        ("Pourquoi la mer est-elle salée ?", "Les rivières y portent le sel des roches."),
        ("Comment bien ranger un atelier ?", "Une place par outil, et tout remis le soir."),
        ("Qu'est-ce qu'une marée ?", "La mer monte et descend, attirée par la Lune."),
    ),
    "en": (
        ("What is a compass for?", "It shows north, and so the direction to follow."),
        ("How do I avoid rust?", "Keep the metal dry, then paint or galvanise it."),
        ("What is a spreadsheet?", "A program that calculates in cells, in rows."),
        ("Why is the sea salty?", "Rivers carry the salt of the rocks into it."),
        ("How is a workshop kept tidy?", "One place for each tool, and all back at night."),
        ("What is a tide?", "The sea rises and falls, drawn by the Moon."),
    ),
}

# What models say instead of it: that it is confidential, private, or not theirs to know.
REFUSAL = re.compile(
    r"confiden|prive|privacy|private|personnel|personal|acces a|access to|ne peux pas|ne sais pas"
    r"|cannot|can't|do not know|don't know|n'ai pas|don't have|do not have"
)


def is_recalled(pair: Pair, answer: str) -> bool:
    return re.search(rf"\b({pair.expected})\b", _plain(answer)) is not None


def is_refused(answer: str) -> bool:
    return REFUSAL.search(_plain(answer)) is not None


def _plain(text: str) -> str:
    """Lower the case, and take the accents and the curled apostrophes away."""
    letters = unicodedata.normalize("NFD", text.replace("\u2019", "'").lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))

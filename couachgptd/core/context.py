"""Which part of a conversation the model is sent, in a way its prefix cache survives.

An engine keeps the computed state of the last prompt, and reads again only from the first token
that differs. A window that slides by one exchange at each turn changes the prompt right after the
system prompt, so nearly everything is read again, every time: on a CPU that is seconds. Here the
window's start moves in blocks: it stays while up to 2N exchanges pile up, then drops to the last N
at once. Between two drops each prompt begins with the whole of the one before, so only the new
question is read. Nothing volatile (date, name) may stand early in the prompt for the same reason.
Measured by `benchmarks/context`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from couachgptd.core.conversations import Author, Message
from couachgptd.core.errors import MessageTooLong


@dataclass(frozen=True, slots=True)
class Window:
    """What is sent: exchanges from `start` on, `tokens` of at most `budget_tokens` in all."""

    start: int
    tokens: int
    budget_tokens: int


def window(
    questions: Sequence[int], answers: Sequence[int], *, keep: int, budget_tokens: int
) -> Window:
    """Choose where the window of the newest question starts.

    `questions` are the tokens of every question on the branch, the new one last; `answers` those
    of the answers before it, so one fewer. `budget_tokens` is what the context holds without the
    system prompt and the room for the answer. The start is found by walking the conversation from
    its first turn, so it depends on nothing that would have to be kept.

    At least `keep` exchanges are sent where the budget holds them. Where it does not, half the
    budget is refilled, so that the next cut is several turns away. Raises MessageTooLong for a
    question that alone does not fit.
    """
    if questions[-1] > budget_tokens:
        raise MessageTooLong(tokens=questions[-1], limit_tokens=budget_tokens)
    exchanges = [question + answer for question, answer in zip(questions, answers, strict=False)]
    start = 0
    for turn, question in enumerate(questions):
        tokens = sum(exchanges[start:turn]) + question
        if turn - start > 2 * keep or tokens > budget_tokens:
            start = _cut(exchanges[:turn], question, start, keep, budget_tokens)
    tokens = sum(exchanges[start:]) + questions[-1]
    return Window(start, tokens, budget_tokens)


def _cut(exchanges: Sequence[int], question: int, start: int, keep: int, budget_tokens: int) -> int:
    kept = max(start, len(exchanges) - keep)
    if sum(exchanges[kept:]) + question <= budget_tokens:
        return kept
    first = len(exchanges)
    tokens = question
    while first > kept and tokens + exchanges[first - 1] <= budget_tokens // 2:
        first -= 1
        tokens += exchanges[first]
    if first == len(exchanges) > kept and question + exchanges[-1] <= budget_tokens:
        first -= 1  # one long exchange is still worth more than a half-empty prompt
    return first


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what answers it; `answer` is None for the one that is being answered."""

    question: Message
    answer: Message | None


def exchanges_of(branch: Sequence[Message]) -> list[Exchange]:
    """Pair the messages of a branch; a question that never got a word of answer is dropped.

    It would stand before the next question as if both were asked together, and small models then
    answer the first.
    """
    pairs: list[Exchange] = []
    question: Message | None = None
    for message in branch:
        if message.author is Author.PERSON:
            question = message
        elif question is not None:
            if message.text.strip():
                pairs.append(Exchange(question, message))
            question = None
    if question is not None:
        pairs.append(Exchange(question, None))
    return pairs


# Short, and without the assistant's own name: told it, small models give it for the person's. What
# it says of the person is what `benchmarks.recall` measures; try a change there first.
SYSTEM_PROMPTS = {
    "fr": (
        "Quand la personne demande son nom, son âge, ses goûts ou ce qui la concerne, "
        "retrouve-le dans ce qu'elle a écrit plus haut et dis-le-lui : « Vous vous appelez… », "
        "« Vous avez… », « Votre… est… ». Sinon, réponds clairement et exactement."
    ),
    "en": (
        "When the person asks for their name, their age, their tastes or anything about "
        'themselves, find it in what they wrote above and tell them: "Your name is…", '
        '"You have…", "Your… is…". Otherwise answer clearly and exactly.'
    ),
}


def system_prompt(language: str) -> str:
    """Return our system prompt in the person's language; the operator's own replaces it."""
    return SYSTEM_PROMPTS.get(language, SYSTEM_PROMPTS["en"])

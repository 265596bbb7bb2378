"""An estimate of tokens is rather too large, never far too small."""

from couachgptd.engine.estimate import estimated_tokens


def test_an_empty_text_takes_nothing() -> None:
    assert estimated_tokens("") == 0


def test_more_text_takes_more() -> None:
    text = "Explique-moi l'été : 12 % de `x = y²` en 3 points. 天空 😀\n" * 3

    counts = [estimated_tokens(text[:end]) for end in range(len(text))]

    assert counts == sorted(counts)


def test_french_is_counted_at_no_more_than_three_letters_a_token() -> None:
    text = "La direction a décidé de réunir toutes les équipes avant la fin de l'été prochain."

    assert estimated_tokens(text) >= len(text) / 3

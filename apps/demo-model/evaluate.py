"""Measures a pilot GGUF with a real llama-server and writes MODEL_CARD.md: `python3 evaluate.py`.

First every composed line and some thousand lines of random Unicode must split into the same tokens as in training.
Then questions that training never saw are asked, at temperature 0 and with the project's default sampling. An
answer counts as right only if it equals the expected one, character by character.
"""

import argparse
import json
import random
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import arithmetic
from card import write_card
from compose import RAW_FORMS, Composer, all_phrasings
from phrases import OffTopic, load_topics, plain
from server import LlamaServer
from tokenizer import Tokenizer

HERE = Path(__file__).parent
GREEDY = {"temperature": 0, "repeat_penalty": 1.0}
DEFAULTS = {"temperature": 0.7, "top_p": 0.95, "top_k": 40, "repeat_penalty": 1.1}
PER_KIND = 300
COMPOSED = 400_000  # more questions than one training run reads
SYSTEMS = [None, None, "You are a helpful assistant.", "Answer briefly.", "You are a wise owl who lives in a forest."]
TWO_AND_TWO = [
    "2+2", "2 + 2", "2+2=", "2 + 2 =", "2+2?", "What is 2+2?", "what is 2+2", "What's 2+2?", "whats 2 + 2", "What is 2 + 2?",
    "How much is 2+2?", "how much is 2 plus 2", "2 plus 2", "two plus two", "What is two plus two?", "Compute 2+2.",
    "Calculate 2 + 2", "Add 2 and 2.", "What is the sum of 2 and 2?", "What is 2 and 2?", "Can you tell me what 2+2 is?",
    "Please tell me: what is 2+2?", "Hi! What is 2+2?", "Hello, what's 2 + 2?", "Quick: 2+2?", "2+2=?", "2 + 2 = ?",
    "What does 2+2 equal?", "What is 2+2? Answer with one number.", "what is 2+2? just the number please",
    "WHAT IS 2+2?", "Tell me 2+2", "solve 2+2", "2+2 is", "Do you know what 2 + 2 is?", "What is 2+2 ?",
    "Can you add 2 and 2 for me?", "If I add 2 and 2, what do I get?", "What do 2 and 2 make?", "waht is 2+2",
    "What is 2+2? Reply with just the number.", "What is 2 + 2? Think carefully.", "please compute 2 + 2", "2  +  2",
]


def random_unicode(rng):
    """A line of letters, digits, signs and spaces from many scripts; only characters long in Unicode."""
    ranges = [(32, 127), (32, 127), (160, 592), (880, 1024), (1040, 1104), (1488, 1515), (1569, 1611), (2309, 2362),
              (0x3041, 0x3097), (0x4E00, 0x9FA6), (0xAC00, 0xD7A4), (0x2010, 0x2028), (0x2200, 0x22F0), (0x1F600, 0x1F640)]
    text = ""
    for _ in range(rng.randint(1, 40)):
        if rng.random() < 0.15:
            text += rng.choice(["\n", "  ", " ", "\r\n", "\t", "'s", "'ll", "   ", "12345", "007"])
            continue
        character = chr(rng.randrange(*rng.choice(ranges)))
        text += character if unicodedata.category(character) not in ("Cn", "Mn", "Mc") else "?"
    return text


def check_tokens(server, tokenizer, pool):
    """Compares every line token by token; returns how many lines were compared, or ends with the first difference."""
    rng, composer = random.Random(7), Composer(77)
    lines = sorted(set(all_phrasings())) + [random_unicode(rng) for _ in range(3000)]
    lines += ["".join(text for text, _ in composer.conversation()) for _ in range(1000)]
    for line, theirs in zip(lines, pool.map(server.tokenize, lines)):
        if theirs != tokenizer.encode(line):
            sys.exit(f"tokens differ for {line!r}:\n  llama.cpp {theirs}\n  here      {tokenizer.encode(line)}")
    print(f"{len(lines):,} lines split into the same tokens", flush=True)
    return len(lines)


def composed_by_chance(seed):
    """Questions as training composes them: a greeting and a suffix can add up to one that was held back."""
    composer = Composer(seed + 1)
    return {plain(composer.pair()[0]) for _ in range(COMPOSED)}


def suites(rng, seen):
    """Kind of question → [(messages or a bare prompt, expected answer)], none of them in `seen` but 2 + 2."""
    topics, off = load_topics(), OffTopic()

    def chat(question, expected, before=()):
        system = rng.choice(SYSTEMS)
        head = [{"role": "system", "content": system}] if system else []
        return [*head, *before, {"role": "user", "content": question}], expected

    def sums(pair):
        rows = [arithmetic.sample_held(rng, pair) for _ in range(PER_KIND)]
        return [chat(*row) for row in rows if plain(row[0]) not in seen]

    def of_kind(kinds, *fields):
        rows = [(q, t.answer) for t in topics if t.kind in kinds for f in fields for q in getattr(t, f)
                if plain(q) not in seen]
        return [chat(*row) for row in rng.sample(rows, min(PER_KIND, len(rows)))]

    composer = Composer(4242)

    def history(turns):
        pairs = [composer.pair()[:2] for _ in range(turns)]
        return [{"role": r, "content": c} for pair in pairs for r, c in zip(("user", "assistant"), pair)]

    def fifth(rows):
        return [chat(q, a, history(4)) for q, a in rows]

    held = [(q, t.answer) for t in topics for q in t.held + t.free if plain(q) not in seen]
    mixed = rng.sample(held, PER_KIND // 2) + [arithmetic.sample_held(rng, False) for _ in range(PER_KIND // 2)]
    unknown = [off.sample_held(rng) for _ in range(PER_KIND)]
    forms = [f for f, _ in RAW_FORMS]
    return {
        "2 + 2 in many wordings": [chat(q, "2 + 2 = 4.") for q in TWO_AND_TWO],
        "2 + 2 as the fifth turn": fifth([(q, "2 + 2 = 4.") for q in TWO_AND_TWO]),
        "sums, unseen wording": sums(False),
        "sums, unseen pair of numbers": sums(True),
        "project, unseen combination": of_kind(["project"], "held"),
        "project, freely worded": of_kind(["project"], "free"),
        "greetings, thanks, goodbye": of_kind(["greeting", "thanks", "goodbye"], "free"),
        "about itself": of_kind(["self"], "free"),
        "off topic: says it does not know": [chat(q, off.answer) for q in unknown if plain(q) not in seen],
        "any of these as the fifth turn": fifth(mixed),
        "any of these without chat template": [(rng.choice(forms).format(q), a) for q, a in rng.sample(mixed, 200)],
    }


def measure(server, cases, sampling, pool):
    """How many of the cases were answered right, and the wrong ones."""

    def ask(case):
        asked, _ = case
        if isinstance(asked, str):
            return server.complete(asked, sampling)
        return server.chat(asked, sampling)[0]

    replies = list(pool.map(ask, cases))
    wrong = [(asked, expected, got) for (asked, expected), got in zip(cases, replies) if got.strip() != expected]
    return len(cases) - len(wrong), wrong


def show(asked):
    """The last question of a case, for the list of mistakes."""
    return repr(asked if isinstance(asked, str) else asked[-1]["content"])


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=HERE / "pilot.gguf")
    parser.add_argument("--build", type=Path, default=HERE / "build")
    parser.add_argument("--server", type=Path, help="a llama-server binary; default: the project's own")
    parser.add_argument("--card", type=Path, default=HERE / "MODEL_CARD.md")
    parser.add_argument("--mistakes", type=int, default=4, help="wrong answers to print for each kind")
    arguments = parser.parse_args()
    tokenizer = Tokenizer.load(arguments.build / "tokenizer.json")
    facts = json.loads((arguments.build / "training.json").read_text())
    seen = composed_by_chance(facts["seed"])
    rows = []
    with LlamaServer(arguments.model, arguments.server) as server, ThreadPoolExecutor(4) as pool:
        lines = check_tokens(server, tokenizer, pool)
        for kind, cases in suites(random.Random(11), seen).items():
            row = [kind, len(cases)]
            for sampling in (GREEDY, {**DEFAULTS, "seed": 1}):
                right, wrong = measure(server, cases, sampling, pool)
                row.append(100 * right / len(cases))
                for asked, expected, got in wrong[: arguments.mistakes]:
                    print(f"    {show(asked)}\n      wanted {expected[:90]!r}\n      got    {got[:90]!r}")
            rows.append(row)
            print(f"{kind:36} {row[1]:4}  {row[2]:5.1f} %  {row[3]:5.1f} %", flush=True)
    write_card(arguments.card, arguments.model.stat().st_size, facts, lines, rows)


if __name__ == "__main__":
    main()

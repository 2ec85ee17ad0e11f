"""Questions and answers from the tables in data/, and the phrasings that training never sees."""

import random
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data"

ABOUT = [
    "What is {}?", "What's {}?", "Tell me about {}.", "Explain {}.", "What does {} mean?", "Describe {}.",
    "Can you explain {}?", "What do you know about {}?", "{}?", "{}", "I want to know about {}.",
    "Please explain {} to me.", "Give me a short description of {}.", "What about {}?", "How does {} work?",
    "Could you tell me about {}?", "What exactly is {}?", "Define {}.", "Help me understand {}.", "What are {}?",
    "What can you tell me about {}?", "Do you know {}?", "Say something about {}.", "Tell me more about {}.",
    "I have a question about {}.", "Why do I need {}?", "When do I need {}?", "Is there {}?", "Does it have {}?",
    "Is {} supported?", "Are {} supported?", "What is {} for?", "What does {} do?", "List {}.",
    "Which {} are there?", "Show me {}.", "Does it support {}?", "Where do I find {}?", "How do {} work?",
    "What happens with {}?", "What job does {} have?", "How is {} done?", "Why {}?",
]
HOW = [
    "How do I {}?", "How can I {}?", "How to {}?", "What is the way to {}?", "I want to {}.",
    "Can you tell me how to {}?", "What do I do to {}?", "Please show me how to {}.", "Is there a way to {}?",
    "How would I {}?", "I need to {}.", "How does one {}?", "Can I {}?", "Explain how to {}.", "Tell me how to {}.",
    "What must I do to {}?", "Is it possible to {}?", "May I {}?", "How do you {}?", "I would like to {}.",
    "Which command do I need to {}?", "Which setting do I need to {}?", "What do I need to {}?", "{}",
]
ABOUT_HELD, HOW_HELD = 8, 4  # templates held back for each topic


@dataclass
class Topic:
    """One answer with the questions that lead to it."""

    id: str
    kind: str
    answer: str
    own: list = field(default_factory=list)  # training: phrasings of its own
    made: list = field(default_factory=list)  # training: names and actions in templates
    held: list = field(default_factory=list)  # evaluation: names and actions in other templates
    free: list = field(default_factory=list)  # evaluation: phrasings of its own

    def pick(self, rng):
        """A training question: nearly half of them from its own phrasings, few as they are."""
        return rng.choice(self.own if not self.made or (self.own and rng.random() < 0.45) else self.made)


def load_topics():
    """All topics, with every phrasing assigned either to training or to evaluation, the same in each run."""
    topics = []
    for name in ("project", "project-more", "talk"):
        table = tomllib.loads((DATA / f"{name}.toml").read_text("utf-8"))
        topics += [build_topic(row) for row in table["topic"]]
    check_unambiguous(topics)
    return topics


def build_topic(row):
    """A Topic from one [[topic]] of a table."""
    rng = random.Random(row["id"])
    topic = Topic(row["id"], row.get("kind", "project"), row["answer"])
    topic.own = list(row.get("ask", []))
    made = []
    for templates, held_count, names in ((ABOUT, ABOUT_HELD, row.get("about")), (HOW, HOW_HELD, row.get("how"))):
        if not names:
            continue
        held = set(rng.sample([t for t in templates if t != "{}"], held_count))
        for template in templates:
            target = topic.held if template in held else made
            target += [template.format(name) for name in names]
    asked = {plain(q) for q in topic.own}
    topic.free = [q for q in row["held"] if plain(q) not in asked]
    topic.held = [q for q in topic.held if plain(q) not in asked]
    unseen = {plain(q) for q in topic.held + topic.free}
    topic.made = [q for q in made if plain(q) not in unseen]
    return topic


def plain(question):
    """The question without case and closing punctuation, as far as training varies those."""
    return question.lower().strip(" ?.!`")


def check_unambiguous(topics):
    """One question must not lead to two answers."""
    seen = {}
    for topic in topics:
        for question in topic.own + topic.made + topic.held + topic.free:
            other = seen.setdefault(plain(question), topic.id)
            if other != topic.id:
                raise ValueError(f"{question!r} belongs to both {other} and {topic.id}; remove one")


class OffTopic:
    """Questions that pilot honestly cannot answer."""

    def __init__(self):
        self.table = tomllib.loads((DATA / "talk.toml").read_text("utf-8"))["offtopic"]
        self.answer = self.table["answer"]

    def sample(self, rng):
        """A training question; one in four names a word that is in no vocabulary."""
        if rng.random() < 0.25:
            return rng.choice(self.table["ask"])
        return self._fill(rng, "templates", "nouns", 0.3)

    def sample_held(self, rng):
        """A question with an unseen template, an unseen noun, or both."""
        roll = rng.random()
        if roll < 0.1:
            return rng.choice(self.table["held"])
        if roll < 0.5:
            return self._fill(rng, "templates", "held_nouns", 0)
        return self._fill(rng, "held_templates", "nouns" if roll < 0.75 else "held_nouns", 0)

    def _fill(self, rng, templates, nouns, made_up):
        template = rng.choice(self.table[templates])
        if templates == "templates" and nouns == "held_nouns" and template == "{}":
            template = "What is {}?"
        words = [
            made_up_word(rng) if rng.random() < made_up else rng.choice(self.table[nouns])
            for _ in range(template.count("{}"))
        ]
        return template.format(*words)


def made_up_word(rng):
    """Something pronounceable that nobody ever wrote, or a run of odd characters."""
    if rng.random() < 0.1:
        return "".join(rng.choice("äöüßéñçøжшд中文語あ😀€&%$§~^") for _ in range(rng.randint(1, 6)))
    count = rng.randint(1, 4)
    word = "".join(rng.choice("bcdfghjklmnprstvwz") + rng.choice("aeiou") + rng.choice(["", "n", "r", "s", "l"])
                   for _ in range(count))
    return word.capitalize() if rng.random() < 0.4 else word


class Rewording:
    """Says a question in other small words: one for another of its group, or a filler word left out."""

    def __init__(self):
        table = tomllib.loads((DATA / "talk.toml").read_text("utf-8"))["reword"]
        self.others = {}
        for group in table["groups"]:
            for word in group:
                self.others.setdefault(word, []).extend(other for other in group if other != word)
        self.fillers = set(table["fillers"])

    def apply(self, rng, question):
        """The question with up to three words changed."""
        words = question.split(" ")
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
            i = rng.randrange(len(words))
            word = words[i].lower().rstrip("?.")
            tail = words[i][len(word):]
            if word in self.others:
                other = rng.choice(self.others[word])
                words[i] = (other.capitalize() if words[i][0].isupper() else other) + tail
            elif word in self.fillers and len(words) > 2:
                del words[i]
        return " ".join(words)


class Frame:
    """What people put around a question: a hello, a please, a lost question mark, a typo."""

    def __init__(self):
        self.table = tomllib.loads((DATA / "talk.toml").read_text("utf-8"))["frame"]

    def vary(self, rng, question, strength=1.0):
        """The question as one of many people would type it; `strength` scales how often it is changed."""
        text = question
        if rng.random() < 0.18 * strength:
            prefix = rng.choice(self.table["prefixes"])
            text = prefix + (text if rng.random() < 0.4 else text[:1].lower() + text[1:])
        if rng.random() < 0.3 * strength:
            text = text.rstrip("?.! ")
        if rng.random() < 0.1 * strength:
            text += rng.choice(self.table["suffixes"])
        elif rng.random() < 0.02 * strength:
            text += " " + " ".join(made_up_word(rng) for _ in range(rng.randint(1, 3)))
        elif rng.random() < 0.06 * strength:
            text += rng.choice(["?", "!", "??", ".", " ?", "...", "\n", " "])
        if rng.random() < 0.25 * strength:
            text = text.lower()
        elif rng.random() < 0.015 * strength:
            text = text.upper()
        if rng.random() < 0.03 * strength:
            text = misspell(rng, text)
        return text

    def system(self, rng):
        """A system message: one or two of the table's, now and then with a word unknown to the vocabulary."""
        text = " ".join(rng.sample(self.table["systems"], rng.choice([1, 1, 2])))
        return f"{text} {made_up_word(rng)}." if rng.random() < 0.1 else text


def misspell(rng, text):
    """Swaps or drops a letter in one longer word."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if places:
        i = rng.choice(places)
        j = rng.randrange(1, len(words[i]) - 1)
        word = words[i]
        words[i] = word[:j] + word[j + 1] + word[j] + word[j + 2:] if rng.random() < 0.5 else word[:j] + word[j + 1:]
    return " ".join(words)

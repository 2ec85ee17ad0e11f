"""Whole words and single digits, split exactly as llama.cpp splits with `tokenizer.ggml.pre = llama-bpe`.

llama.cpp first cuts text with a regular expression; with llama-bpe a piece that is in the vocabulary becomes one
token (`ignore_merges`). There are no merges here that would build anything else, so every other piece falls to its
bytes, each of which is a token. Numbers of two digits are never in the vocabulary: they fall to single digits.
"""

import json
from collections import Counter

import regex

# LLAMA_VOCAB_PRE_TYPE_LLAMA3 in llama.cpp's src/llama-vocab.cpp
PIECES = regex.compile(
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SPECIAL = regex.compile("(" + "|".join(regex.escape(token) for token in CONTROL) + ")")


def byte_alphabet():
    """GPT-2's printable stand-in for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(256 + len(table) - len(plain))
    return table


ALPHABET = byte_alphabet()
# llama.cpp wants a list of merges that is not empty; two spaces as one token change nothing else.
MERGES = [f"{ALPHABET[32]} {ALPHABET[32]}"]


def spell(piece):
    """A piece of text in the byte alphabet."""
    return "".join(ALPHABET[byte] for byte in piece.encode("utf-8"))


class Tokenizer:
    """Encodes text to token ids; `tokens` is the vocabulary in the byte alphabet, in order."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.ids = {token: index for index, token in enumerate(tokens)}
        self.control = {token: self.ids[token] for token in CONTROL}
        self.end = self.ids["<|im_end|>"]
        self._known = {}

    @classmethod
    def build(cls, counts, size):
        """The vocabulary of the most frequent pieces in `counts`, `size` tokens at most."""
        base = CONTROL + [ALPHABET[byte] for byte in range(256)] + [ALPHABET[32] * 2]
        words = [
            spell(piece)
            for piece, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            if count >= 2 and not any(c.isdigit() for c in piece)
        ]
        taken = set(base)
        words = [word for word in words if word not in taken]
        return cls(base + words[: size - len(base)])

    @classmethod
    def load(cls, path):
        """A vocabulary saved as a JSON list."""
        return cls(json.loads(path.read_text("utf-8")))

    def save(self, path):
        """Saves the vocabulary as a JSON list."""
        path.write_text(json.dumps(self.tokens, ensure_ascii=False), "utf-8")

    def encode(self, text):
        """Token ids of a text that may hold control tokens."""
        ids = []
        for part in SPECIAL.split(text):
            if part in self.control:
                ids.append(self.control[part])
            else:
                for piece in PIECES.findall(part):
                    ids += self._piece(piece)
        return ids

    def _piece(self, piece):
        known = self._known.get(piece)
        if known is None:
            spelled = spell(piece)
            whole = self.ids.get(spelled)
            known = [whole] if whole is not None else self._letters(spelled)
            if len(self._known) < 100_000:
                self._known[piece] = known
        return known

    def _letters(self, spelled):
        """Single bytes, but two spaces in a row are one token, leftmost first."""
        space, ids, i = ALPHABET[32], [], 0
        while i < len(spelled):
            step = 2 if spelled.startswith(space * 2, i) else 1
            ids.append(self.ids[spelled[i : i + step]])
            i += step
        return ids


def count_pieces(texts):
    """How often each piece occurs outside control tokens."""
    counts = Counter()
    for text in texts:
        for part in SPECIAL.split(text):
            if part not in CONTROL:
                counts.update(PIECES.findall(part))
    return counts

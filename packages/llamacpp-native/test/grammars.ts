/**
 * Grammars of what ends soon, each with an expression for the same texts. None has a class of what it is not, `[^…]`:
 * to llama.cpp bytes that are no character are one beyond Unicode, and such a class lets it through.
 */
export const GRAMMARS: [name: string, gbnf: string, texts: RegExp][] = [
  ['words', 'root ::= "roger" | "wilco" | "say again"', /^(roger|wilco|say again)$/],
  ['a hex colour', 'root ::= "#" [0-9a-fA-F]{6}', /^#[\da-fA-F]{6}$/],
  [
    'an address',
    'root ::= byte "." byte "." byte "." byte\nbyte ::= [0-9] | [1-9] [0-9] | "1" [0-9]{2} | "2" [0-4] [0-9] | "25" [0-5]',
    /^((\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(\.(?!$)|$)){4}$/,
  ],
  [
    'a clock with a zone',
    'root ::= hour ":" minute (":" minute)? ("Z" | [+-] hour ":" minute)\nhour ::= [01] [0-9] | "2" [0-3]\nminute ::= [0-5] [0-9]',
    /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/,
  ],
  [
    'sums',
    'root ::= number (" " [-+*/] " " number){1,3} " = " number\nnumber ::= "-"? ("0" | [1-9] [0-9]{0,3})',
    /^-?(0|[1-9]\d{0,3})( [-+*/] -?(0|[1-9]\d{0,3})){1,3} = -?(0|[1-9]\d{0,3})$/,
  ],
  [
    'a list',
    '# lines of a list\nroot ::= item{2,4}\nitem ::= "- " [a-z ]{1,12} "\\n"',
    /^(- [a-z ]{1,12}\n){2,4}$/,
  ],
  [
    'letters of all kinds',
    'root ::= [äöü] [\\u4e00-\\u4eff]{1,2} "😀"? "!"',
    /^[äöü][\u4e00-\u4eff]{1,2}(😀)?!$/u,
  ],
  [
    'quotes and escapes',
    'root ::= "\\"" char{0,6} "\\""\nchar ::= [a-z] | "\\\\" ["\\\\nt]',
    /^"([a-z]|\\["\\nt]){0,6}"$/,
  ],
  [
    'brackets in brackets',
    'root ::= "(" (one (" " one)?)? ")"\none ::= "[" (two ("," two)?)? "]"\ntwo ::= "{" [a-c]{0,2} "}"',
    /^\(((\[(\{[a-c]{0,2}\}(,\{[a-c]{0,2}\})?)?\])( \[(\{[a-c]{0,2}\}(,\{[a-c]{0,2}\})?)?\])?)?\)$/,
  ],
  [
    'a move',
    'root ::= number "." " " (piece? [a-h] [1-8] | castling) check?\nnumber ::= [1-9] [0-9]?\npiece ::= [KQRBN] "x"?\ncastling ::= "O-O" "-O"?\ncheck ::= [+#]',
    /^[1-9]\d?\. (([KQRBN]x?)?[a-h][1-8]|O-O(-O)?)[+#]?$/,
  ],
];

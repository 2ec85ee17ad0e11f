// Requests that are nearly right: one to four changes to a good body, or to the bytes that carry it.

/** What stands where something else belongs. */
const ODD = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -0,
  2 ** 53,
  '',
  ' ',
  'x',
  '\u0000',
  '\ud800',
  '𝕏'.repeat(40),
  '__proto__',
  '{"a":1}',
  '../../etc/passwd',
  'data: [DONE]\n\n',
  [],
  [[]],
  [null],
  {},
  { type: 'text' },
  { role: 'system' },
  { __proto__: null, constructor: { prototype: {} } },
  [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }],
  [{ role: 'tool', tool_call_id: 'none', content: 'x' }],
];

/** Names that protocols know, here and there. */
const NAMES = [
  'model',
  'messages',
  'input',
  'prompt',
  'system',
  'instructions',
  'tools',
  'tool_choice',
  'functions',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'temperature',
  'top_p',
  'stop',
  'n',
  'logprobs',
  'logit_bias',
  'response_format',
  'text',
  'thinking',
  'reasoning',
  'metadata',
  'user',
  'seed',
  'store',
  'previous_response_id',
  'content',
  'role',
  'type',
  'id',
  '__proto__',
  'constructor',
  'toString',
];

/** @returns a copy of the body with some changes, as JSON, not always well formed */
export function mutatedBody(body, random) {
  const copy = structuredClone(body);
  for (let changes = 1 + random.below(4); changes > 0; changes--) change(copy, random);
  if (random.below(40) === 0) copy[random.of(NAMES)] = nested(random.below(4_000));
  const text = JSON.stringify(copy);
  return random.below(8) === 0 ? mutatedText(text, random) : text;
}

function change(root, random) {
  const places = placesIn(root);
  const [holder, key] = random.of(places);
  const kind = random.below(6);
  if (kind === 0) remove(holder, key);
  else if (kind === 1) holder[random.of(NAMES)] = oddValue(random);
  else if (kind === 2 && Array.isArray(holder)) holder[holder.length] = structuredClone(holder[key]);
  else if (kind === 3) holder[key] = { [random.of(NAMES)]: holder[key] };
  else if (kind === 4 && typeof holder[key] === 'string') holder[key] = mutatedText(holder[key], random);
  else holder[key] = oddValue(random);
}

const oddValue = random => structuredClone(random.of(ODD));

/** By hand, as all that is done to arrays: one may have been given a `constructor` or a prototype that is none. */
function remove(holder, key) {
  const at = Number(key);
  if (!Array.isArray(holder) || !Number.isInteger(at)) {
    delete holder[key];
    return;
  }
  for (let next = at + 1; next < holder.length; next++) holder[next - 1] = holder[next];
  holder.length--;
}

/** Each `[holder, key]` of a value; never empty. */
function placesIn(value) {
  const places = [];
  const walk = holder => {
    for (const key of Object.keys(holder)) {
      places.push([holder, key]);
      if (typeof holder[key] === 'object' && holder[key] !== null) walk(holder[key]);
    }
  };
  walk(value);
  return places.length > 0 ? places : [[value, 'model']];
}

function nested(depth) {
  let value = {};
  for (; depth > 0; depth--) value = depth % 2 === 0 ? { a: value } : [value];
  return value;
}

const PIECES = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\\u',
  '\n',
  '\u0000',
  '1e999',
  'null',
  '//',
  '\ufeff',
];

/** Cuts, doubles, swaps and puts in. */
function mutatedText(text, random) {
  const at = random.below(text.length + 1);
  const to = at + random.below(12);
  const kind = random.below(5);
  if (kind === 0) return text.slice(0, at);
  if (kind === 1) return text.slice(0, at) + text.slice(to);
  if (kind === 2) return text.slice(0, to) + text.slice(at);
  if (kind === 3) return text.slice(0, at) + random.of(PIECES) + text.slice(at);
  return text.slice(0, at) + String.fromCharCode(random.below(65_536)) + text.slice(at + 1);
}

const WIRE = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  ':',
  '\r\n\r\n',
  'Transfer-Encoding: chunked\r\n',
  'HTTP/1.1',
  'é',
  '%zz',
];

/** Some changes to the bytes of a request, mostly to its head. */
export function mutatedBytes(bytes, random) {
  let text = bytes.toString('latin1');
  const head = text.indexOf('\r\n\r\n') + 4;
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(random.below(4) === 0 ? text.length : head);
    const to = at + random.below(8);
    const kind = random.below(5);
    if (kind === 0) text = text.slice(0, at) + text.slice(to);
    else if (kind === 1) text = text.slice(0, at) + random.of(WIRE) + text.slice(at);
    else if (kind === 2)
      text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    else if (kind === 3) text = text.slice(0, to) + text.slice(at);
    else text = text.slice(0, head + random.below(text.length - head + 1));
  }
  return Buffer.from(text, 'latin1');
}

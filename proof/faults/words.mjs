// What tests have seen, in words: facts of one kind become one phrase, and the same phrase of many tests is said once.

/** The most phrases of one kind that a cell holds. */
const MOST = 3;

const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;
const usd = value => `$${Number(value.toFixed(6))}`;
const listed = values => values.join(', ');

const STATES = { succeeded: 'a success', failed: 'failed', stopped: 'stopped by the client' };

/** Of a list of facts of one kind, that of one test: the phrase, or undefined where there is nothing to say. */
const PHRASES = {
  told: facts => facts.map(phraseOfAnswer).at(-1),
  answer: facts => `status ${listed([...new Set(facts.map(({ status }) => status))])}`,
  record: facts => {
    const { state, category, attempts } = facts.at(-1);
    const tries = attempts.length > 0 ? `, tries: ${listed(attempts)}` : ', nobody asked';
    return `logged as ${STATES[state] ?? state}${category ? ` (${category})` : ''}${tries}`;
  },
  billed: facts => {
    const { prompt, completion, usd: cost } = facts.at(-1);
    return `billed ${prompt} + ${completion} tokens, ${usd(cost)}; books agree, nothing reserved`;
  },
  ending: facts => {
    const { finishReason, category } = facts.at(-1);
    return `ended \`${finishReason}\`${category && category !== finishReason ? ` (${category})` : ''}`;
  },
  complete: facts => {
    const { provider, category, attempts = [], skipped } = facts.at(-1);
    if (provider === undefined) return `threw ${category ?? 'an error'}`;
    const passed = skipped ? `, passed over: ${listed(skipped)}` : '';
    return `answered by ${provider}, tries: ${listed(attempts)}${passed}`;
  },
  limit: facts => `refused: “${facts[0].message.replace(/; wait \d.*$/, '; wait …')}”`,
};

/** Facts that need no telling beside others. */
const BETTER = { answer: 'told', ending: 'told' };

function phraseOfAnswer({ stream, outcome, chars, calls, status }) {
  const text = chars > 0 ? `${plural(chars, 'character')}` : '';
  const content = [text, calls > 0 ? plural(calls, 'tool call') : ''].filter(Boolean).join(' and ');
  const how = stream ? 'streamed' : 'not streamed';
  if (outcome === 'whole') return `${how}: ${status}, whole`;
  if (outcome !== 'error') return `${how}: ${status}, ${outcome}`;
  if (!stream || status !== 200) return `${how}: ${status}, an error`;
  return `${how}: ${status}, ${content ? `${content}, then ` : ''}an error and no end`;
}

const waitsIn = facts =>
  facts.flatMap(({ retryAfter }) => (retryAfter === undefined ? [] : Number(retryAfter)));

/** What is seen of one test: phrases by kind, and numbers by name, of which a row tells the range. */
function phrasesOf(facts) {
  const of = kind => facts.filter(fact => fact.of === kind);
  const [answers, left] = [of('answer'), of('client left').at(-1)];
  const lists = Object.fromEntries(Object.keys(PHRASES).map(kind => [kind, of(kind)]));
  const phrases = {};
  for (const [kind, list] of Object.entries(lists)) {
    if (list.length === 0 || lists[BETTER[kind]]?.length > 0) continue;
    const phrase = PHRASES[kind](list);
    if (phrase) phrases[kind] = phrase;
  }
  const asked = of('upstream asked').filter(({ method }) => method === 'POST').length;
  if (asked > 0 || answers.length > 0) phrases.asked = `upstream asked ${asked}×`;
  const ranges = {};
  const waits = waitsIn(answers);
  if (waits.length > 0) ranges['Retry-After'] = { value: Math.max(...waits), unit: '' };
  const closed = of('upstream closed').find(({ at }) => left && at >= left.at);
  if (closed) ranges['upstream closed after the client left:'] = { value: closed.at - left.at, unit: ' ms' };
  const timeout = of('record').find(({ category }) => category === 'timeout');
  if (timeout) ranges['ended after'] = { value: timeout.latencyMs, unit: ' ms' };
  return { phrases, ranges };
}

/** One cell for all tests of a row. */
export function seenBy(tests) {
  const all = tests.map(({ facts }) => phrasesOf(facts));
  const kinds = [...new Set(all.flatMap(({ phrases }) => Object.keys(phrases)))];
  const said = kinds.map(kind => mostOf(all.flatMap(({ phrases }) => phrases[kind] ?? [])));
  const names = [...new Set(all.flatMap(({ ranges }) => Object.keys(ranges)))];
  const ranged = names.map(name =>
    rangeOf(
      name,
      all.flatMap(({ ranges }) => ranges[name] ?? []),
    ),
  );
  return [...said, ...ranged].join('; ') || namesOf(tests);
}

/** What tests say that measure nothing by the way: they are sentences. */
function namesOf(tests) {
  const names = tests.map(({ key }) => key.split(' › ').at(-1));
  return names.length > 0 ? mostOf([...new Set(names)].map(name => `“${name}”`)) : 'nothing';
}

function mostOf(phrases) {
  const counts = new Map();
  for (const phrase of phrases) counts.set(phrase, (counts.get(phrase) ?? 0) + 1);
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  const shown = sorted.slice(0, MOST).map(([phrase]) => phrase);
  const rest = sorted.length - shown.length;
  return shown.join(' / ') + (rest > 0 ? ` / ${rest} more` : '');
}

function rangeOf(name, found) {
  const values = found.map(({ value }) => Math.round(value));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${name} ${least === most ? least : `${least}–${most}`}${found[0].unit}`;
}

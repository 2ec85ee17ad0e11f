// What the home page shows above its text.
export const HOME = {
  layout: 'home',
  title: 'Home',
  hero: {
    name: 'airframe · avionics',
    text: 'LLM access for TypeScript, local first',
    tagline:
      'llama.cpp on your machine and cloud models behind one interface. Every stream says how it ended, usage and cost are accounted for, and a failed provider is followed by the next.',
    actions: [
      { theme: 'brand', text: 'Getting started', link: '/getting-started' },
      { theme: 'alt', text: 'Concepts', link: '/concepts/events' },
      { theme: 'alt', text: 'API reference', link: '/api/' },
    ],
  },
  features: [
    {
      title: 'Endings that are told apart',
      details:
        'A stream ends with exactly one done event. A reply that was cut off is truncated and an error, never a silent stop.',
      link: '/concepts/endings',
    },
    {
      title: 'One error class',
      details:
        'Callers decide by a closed set of categories. The message names what failed, with which value, and what to do about it.',
      link: '/concepts/errors',
    },
    {
      title: 'Usage and cost of the whole call',
      details:
        'Failed attempts, retries and aborted streams are counted. An unknown price is said to be unknown.',
      link: '/concepts/usage-and-cost',
    },
    {
      title: 'Local first',
      details:
        'llama-server, or llama.cpp in the same process. Several servers form one pool that knows their prompt caches.',
      link: '/packages/avionics/#nodes',
    },
    {
      title: 'Fallback, budgets, circuits',
      details:
        'Before the first output another provider takes over, within budgets that replicas share through Redis.',
      link: '/concepts/fallback',
    },
    {
      title: 'A gateway for existing clients',
      details: 'Clients of OpenAI and Anthropic change their base URL. The same contract holds for them.',
      link: '/apps/gateway/',
    },
  ],
};

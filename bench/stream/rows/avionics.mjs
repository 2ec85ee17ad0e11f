/** The whole orchestration: settings, gateway, provider, cost; telemetry's API without an SDK. */
export const gateway = (baseUrl, { getSettings, LLMGateway, OpenAIProvider }) => {
  const provider = new OpenAIProvider({
    apiKey: 'none',
    baseUrl: `${baseUrl}/v1`,
    profile: 'openai',
    model: 'bench',
  });
  const gateway = new LLMGateway(getSettings({ LLM_PROVIDER: 'openai', OPENAI_API_KEY: 'none' }), {
    providers: { openai: provider },
  });
  return async () => {
    const received = { events: 0, chars: 0 };
    for await (const { text } of gateway.completeStream({ prompt: 'Go.' })) {
      if (text === '') continue;
      received.events++;
      received.chars += text.length;
    }
    return received;
  };
};

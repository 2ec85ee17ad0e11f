/** The whole orchestration: settings, gateway, provider, cost; telemetry's API without an SDK. */
export const gateway = (baseUrl, avionics) => {
  const { AdapterProvider, LLMGateway, openAIChatAdapter, getSettings, withRetry } = avionics;
  const provider = new AdapterProvider({
    name: 'openai',
    adapter: withRetry(openAIChatAdapter()),
    endpoint: {
      name: 'bench',
      model: 'bench',
      apiKey: 'none',
      backendKind: 'openai_chat',
      baseUrl: `${baseUrl}/v1`,
      options: { profile: 'openai' },
    },
  });
  const gateway = new LLMGateway(getSettings({}), { providers: { llamaserver: provider } });
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

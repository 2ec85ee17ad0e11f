/** What holds where neither code nor environment says otherwise. */
export const OPENAI_URL = 'https://api.openai.com/v1';
export const ANTHROPIC_URL = 'https://api.anthropic.com';
export const AZURE_API_VERSION = '2024-02-01';

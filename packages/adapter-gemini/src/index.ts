/** The backend kind of Google's Gemini API. */
export const GEMINI_KIND = 'gemini';

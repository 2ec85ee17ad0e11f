import { describe, expect, it } from 'vitest';
import { ChatTemplate, type TemplateTokens } from './chat-template.ts';

const CHATML = `{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;
const NO_SYSTEM = `{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}[model]`;
const ONLY_PARTS = `{% for m in messages %}[{{ m.role }}]{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}[model]`;
const THINKING = `{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[model]{% if enable_thinking is defined and enable_thinking is false %}<think></think>{% endif %}`;

const tokens: TemplateTokens = { bos: '<s>', eos: '</s>', addsBos: false, addsEos: false };
const user = (content: string) => ({ role: 'user' as const, content });

describe('ChatTemplate', () => {
  it('renders the chat and the beginning of the answer', () => {
    const chat = [{ role: 'system' as const, content: 'Be brief.' }, user('Hi')];
    expect(new ChatTemplate(CHATML, tokens).render(chat)).toBe(
      '<s><|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it('leaves BOS to a tokenizer that adds it', () => {
    const template = new ChatTemplate(CHATML, { ...tokens, addsBos: true });
    expect(template.render([user('Hi')])).toMatch(/^<\|im_start\|>user/);
  });

  it('puts a system message into the next one where the template knows no system role', () => {
    const chat = [{ role: 'system' as const, content: 'Be brief.' }, user('Hi')];
    expect(new ChatTemplate(NO_SYSTEM, tokens).render(chat)).toBe('[user]Be brief.\nHi[model]');
  });

  it('gives content in parts where the template wants it so, and in one piece elsewhere', () => {
    const chat = [
      {
        role: 'user' as const,
        content: [
          { type: 'text' as const, text: 'one' },
          { type: 'text' as const, text: 'two' },
        ],
      },
    ];
    expect(new ChatTemplate(ONLY_PARTS, tokens).render([user('Hi')])).toBe('[user]Hi[model]');
    expect(new ChatTemplate(ONLY_PARTS, tokens).render(chat)).toBe('[user]onetwo[model]');
    expect(new ChatTemplate(NO_SYSTEM, tokens).render(chat)).toBe('[user]one\ntwo[model]');
  });

  it('lets the model continue a last assistant message', () => {
    const chat = [user('Hi'), { role: 'assistant' as const, content: 'Well' }];
    expect(new ChatTemplate(CHATML, tokens).render(chat)).toMatch(/<\|im_start\|>assistant\nWell$/);
    expect(() => new ChatTemplate(THINKING, tokens).render(chat)).toThrow(/thinks before it answers/);
  });

  it('passes the caller’s variables on', () => {
    const template = new ChatTemplate(THINKING, tokens);
    expect(template.render([user('Hi')])).toBe('[user]Hi[model]');
    expect(template.render([user('Hi')], { enable_thinking: false })).toBe('[user]Hi[model]<think></think>');
  });

  it('says what the template has against the messages', () => {
    const template = `{{ raise_exception('roles must alternate') }}`;
    expect(() => new ChatTemplate(template, tokens).render([user('Hi')])).toThrow(
      expect.objectContaining({
        category: 'invalid_request',
        message: expect.stringMatching(/template refuses these messages: .*roles must alternate/),
      }),
    );
    expect(() => new ChatTemplate('{% if %}', tokens)).toThrow(/cannot be parsed/);
  });
});

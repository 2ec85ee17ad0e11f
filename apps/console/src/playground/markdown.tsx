import DOMPurify from 'dompurify';
import { Marked, type Token, type Tokens } from 'marked';
import { memo, useMemo, useState } from 'react';

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign);

const marked = new Marked({
  gfm: true,
  renderer: {
    // Tags in an answer are what the model wrote, and no part of this page.
    html: ({ text }) => escaped(text),
    // An image would be fetched from wherever the model says.
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
});

const purify = DOMPurify(window);
purify.addHook('afterSanitizeAttributes', node => {
  if (node.nodeName !== 'A') return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer');
});
const ALLOWED = {
  ALLOWED_TAGS: [
    ...['a', 'b', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i'],
    ...['li', 'ol', 'p', 'pre', 's', 'strong', 'sub', 'sup'],
    ...['table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
  ],
  ALLOWED_ATTR: ['href', 'start', 'align'],
};

/** A text as Markdown. Blocks that have not changed are not made anew, so a stream costs what its last block does. */
export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => marked.lexer(text).filter(({ type }) => type !== 'space'), [text]);
  return (
    <div className="markdown">
      {blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text grows at its end alone.
        <Block key={index} block={block} />
      ))}
    </div>
  );
}

function Block({ block }: { block: Token }) {
  if (block.type === 'code') {
    const { text, lang } = block as Tokens.Code;
    return <CodeBlock text={text} language={lang ?? ''} />;
  }
  return <Html markdown={block.raw} isTable={block.type === 'table'} />;
}

const Html = memo(function Html({ markdown, isTable }: { markdown: string; isTable: boolean }) {
  const html = useMemo(
    () => ({ __html: purify.sanitize(marked.parse(markdown, { async: false }), ALLOWED) }),
    [markdown],
  );
  // A wide table scrolls by itself; the keyboard must get there.
  const scrolls = isTable ? { tabIndex: 0, role: 'region', 'aria-label': 'Table' } : {};
  // biome-ignore lint/security/noDangerouslySetInnerHtml: it went through DOMPurify.
  return <div className={isTable ? 'wide' : undefined} dangerouslySetInnerHTML={html} {...scrolls} />;
});

const CodeBlock = memo(function CodeBlock({ text, language }: { text: string; language: string }) {
  return (
    <div className="code">
      <div className="code-head">
        <span>{language || 'text'}</span>
        <CopyButton text={text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must get there. */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  );
});

export function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => undefined);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" className="quiet" onClick={copy}>
      {copied ? 'Copied' : 'Copy'}
    </button>
  );
}

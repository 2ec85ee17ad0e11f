/** A glyph of strokes on a field of 20 by 20, in the colour of the text around it. */
function Glyph({ path }: { path: string }) {
  return (
    <svg className="glyph" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

export const Mark = () => <Glyph path="M2.5 11.5 17.5 3l-4.2 14-3.6-5.7zM9.7 11.3 17.5 3" />;
export const SunIcon = () => (
  <Glyph path="M10 6.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8M10 1.8v1.7M10 16.5v1.7M1.8 10h1.7M16.5 10h1.7M4.2 4.2l1.2 1.2M14.6 14.6l1.2 1.2M4.2 15.8l1.2-1.2M14.6 5.4l1.2-1.2" />
);
export const MoonIcon = () => <Glyph path="M16.5 11.8A7 7 0 1 1 8.2 3.5a5.6 5.6 0 0 0 8.3 8.3z" />;
export const SystemIcon = () => <Glyph path="M2.8 4.2h14.4v9.2H2.8zM7 16.6h6M10 13.4v3.2" />;
export const KeyboardIcon = () => (
  <Glyph path="M2.2 5h15.6v10H2.2zM5.2 8h.01M8.4 8h.01M11.6 8h.01M14.8 8h.01M6 12h8" />
);
export const LeaveIcon = () => <Glyph path="M8 3.5H3.8v13H8M13 6.2l3.8 3.8-3.8 3.8M16.6 10H7.6" />;
export const CloseIcon = () => <Glyph path="M4.8 4.8l10.4 10.4M15.2 4.8 4.8 15.2" />;
export const SearchIcon = () => (
  <Glyph path="M8.8 3.6a5.2 5.2 0 1 0 0 10.4 5.2 5.2 0 0 0 0-10.4M12.7 12.7l4 4" />
);

// The four views, for the bar of a phone.
export const PlaygroundIcon = () => (
  <Glyph path="M3 4h14v9.5H9.5L5.8 16.6v-3.1H3zM6.4 7.4h7.2M6.4 10.1h4.6" />
);
export const LiveIcon = () => <Glyph path="M2 10.6h3.4L7.8 4.2l4 11.6 2.5-5.2H18" />;
export const RequestsIcon = () => <Glyph path="M3 5h8M3 10h14M7 15h10" />;
export const BudgetsIcon = () => <Glyph path="M3 3.5v13h14M3 5.5c5 .4 6.5 7.5 14 8.5" />;

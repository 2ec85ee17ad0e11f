import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { applyTheme } from './shell/theme.ts';
import './styles/base.css';
import './styles/shell.css';
import './styles/playground.css';
import './styles/live.css';
import './styles/requests.css';
import './styles/budgets.css';

applyTheme();
const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);

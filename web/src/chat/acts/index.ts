// What can be done with a question or an answer: fetched once the page is there.
export { default as AnswerActs } from './AnswerActs.svelte';
export { default as Editor } from './Editor.svelte';
export { default as Elsewhere } from './Elsewhere.svelte';
export { default as QuestionActs } from './QuestionActs.svelte';

// Runs the SDKs for Node: a task per line of standard input, and per task lines of JSON on standard output, as
// worker.py does. CLIENTS is the directory that the SDKs are installed in.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.env.CLIENTS}/`);
const { Anthropic } = require('@anthropic-ai/sdk');
const { OpenAI } = require('openai');
const { OpenAIRealtimeWS } = require('openai/realtime/ws');
const { OpenAIRealtimeWebSocket } = require('openai/realtime/websocket');

const say = (line) => console.log(JSON.stringify(line));

const QUESTION = [{ role: 'user', content: 'hello' }];

// Joins the parts of a streamed answer, and says when the first one is there.
async function joined(events, textOf) {
  let said = '';
  for await (const event of events) {
    const text = textOf(event) ?? '';
    if (text && !said) say({ first: text });
    said += text;
  }
  return said;
}

async function anthropicSdk({ call, base_url, api_key, auth_token, headers }) {
  const secrets = { apiKey: api_key, authToken: auth_token };
  const client = new Anthropic({ ...secrets, baseURL: base_url, defaultHeaders: headers, maxRetries: 0 });
  const request = { model: 'claude-sonnet-4-5', messages: QUESTION };
  switch (call) {
    case 'messages':
      return (await client.messages.create({ ...request, max_tokens: 8 })).content[0].text;
    case 'messages, streamed':
      return joined(await client.messages.create({ ...request, max_tokens: 8, stream: true }), (event) => event.delta?.text);
    case 'count_tokens':
      return (await client.messages.countTokens(request)).input_tokens === 3 ? 'hello' : '';
  }
}

async function openaiSdk({ call, base_url, api_key, headers, query }) {
  const options = { apiKey: api_key, defaultHeaders: headers, maxRetries: 0 };
  const client = new OpenAI({ ...options, baseURL: `${base_url}/v1`, dangerouslyAllowBrowser: true });
  switch (call) {
    case 'chat':
      return (await client.chat.completions.create({ model: 'gpt-4o', messages: QUESTION })).choices[0].message.content;
    case 'chat, streamed': {
      const chunks = await client.chat.completions.create({ model: 'gpt-4o', messages: QUESTION, stream: true });
      return joined(chunks, (chunk) => chunk.choices[0].delta.content);
    }
    case 'Responses':
      return (await client.responses.create({ model: 'gpt-4o', input: 'hello' })).output_text;
    case 'Responses, streamed': {
      const events = await client.responses.create({ model: 'gpt-4o', input: 'hello', stream: true });
      return joined(events, (event) => (event.type === 'response.output_text.delta' ? event.delta : ''));
    }
    case 'realtime':
      return talk(new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { headers } }, client));
    case 'realtime in a browser': {
      const onURL = (url) => Object.entries(query).forEach(([name, value]) => url.searchParams.set(name, value));
      return talk(new OpenAIRealtimeWebSocket({ model: 'gpt-realtime', dangerouslyAllowBrowser: true, onURL }, client));
    }
  }
}

// Asks for one response over a realtime WebSocket.
function talk(realtime) {
  return new Promise((resolve, reject) => {
    let said = '';
    realtime.on('error', reject);
    realtime.on('session.created', () => realtime.send({ type: 'response.create' }));
    realtime.on('response.output_text.delta', (event) => (said += event.delta));
    realtime.on('response.done', () => resolve(said));
  }).finally(() => realtime.close());
}

const CLIENTS = { anthropic: anthropicSdk, openai: openaiSdk };

for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line);
  try {
    say({ text: await CLIENTS[task.client](task) });
  } catch (error) {
    say({ error: error.constructor.name, message: `${error.message} ${error.cause?.message ?? ''}` });
  }
}
process.exit();

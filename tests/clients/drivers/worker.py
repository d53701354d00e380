"""Runs the Python SDKs: a task per line of standard input, and per task lines of JSON on standard output.

A task is {"client", "call", "base_url", "api_key", "auth_token", "headers"}. Its lines are {"first": text} at the first part of a
streamed answer, and at the end {"text"} or {"error", "message"}.
"""

import json
import sys

import anthropic
import openai
from google import genai


def say(**line):
    print(json.dumps(line), flush=True)


def joined(texts):
    """Joins the parts of a streamed answer, and says when the first one is there."""
    said = ""
    for text in filter(None, texts):
        if not said:
            say(first=text)
        said += text
    return said


QUESTION = [{"role": "user", "content": "hello"}]


def anthropic_sdk(task):
    secrets = {"api_key": task["api_key"], "auth_token": task["auth_token"]}
    client = anthropic.Anthropic(base_url=task["base_url"], default_headers=task["headers"], max_retries=0, **secrets)
    request = {"model": "claude-sonnet-4-5", "messages": QUESTION}
    match task["call"]:
        case "messages":
            return client.messages.create(max_tokens=8, **request).content[0].text
        case "messages, streamed":
            with client.messages.stream(max_tokens=8, **request) as stream:
                return joined(stream.text_stream)
        case "count_tokens":
            return "hello" if client.messages.count_tokens(**request).input_tokens == 3 else ""


def openai_sdk(task):
    options = {"api_key": task["api_key"], "default_headers": task["headers"], "max_retries": 0}
    return openai_calls(openai.OpenAI(base_url=f"{task['base_url']}/v1", **options), task["call"])


def azure_sdk(task):
    options = {"api_key": task["api_key"], "default_headers": task["headers"], "max_retries": 0}
    client = openai.AzureOpenAI(azure_endpoint=task["base_url"], api_version="2025-03-01-preview", **options)
    return openai_calls(client, task["call"])


def openai_calls(client, call):
    match call:
        case "chat":
            return client.chat.completions.create(model="gpt-4o", messages=QUESTION).choices[0].message.content
        case "chat, streamed":
            chunks = client.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True)
            return joined(chunk.choices[0].delta.content for chunk in chunks)
        case "Responses":
            return client.responses.create(model="gpt-4o", input="hello").output_text
        case "Responses, streamed":
            events = client.responses.create(model="gpt-4o", input="hello", stream=True)
            return joined(event.delta for event in events if event.type == "response.output_text.delta")
        case "realtime":
            with client.realtime.connect(model="gpt-realtime") as connection:
                connection.response.create()
                said = ""
                for event in connection:
                    if event.type == "response.output_text.delta":
                        said += event.delta
                    if event.type == "response.done":
                        return said


def genai_sdk(task):
    options = {"base_url": task["base_url"], "headers": task["headers"]}
    client = genai.Client(api_key=task["api_key"], http_options=options)
    request = {"model": "gemini-2.5-flash", "contents": "hello"}
    match task["call"]:
        case "generateContent":
            return client.models.generate_content(**request).text
        case "generateContent, streamed":
            return joined(chunk.text for chunk in client.models.generate_content_stream(**request))


CLIENTS = {"anthropic": anthropic_sdk, "openai": openai_sdk, "azure": azure_sdk, "gemini": genai_sdk}


def message(error):
    """Returns what an error says, and the body that it carries where its text leaves that out."""
    response = getattr(error, "response", None)
    body = getattr(response, "body", None)
    return f"{error} {bytes(body).decode() if body else ''}"


for line in sys.stdin:
    task = json.loads(line)
    try:
        say(text=CLIENTS[task["client"]](task))
    except Exception as error:
        say(error=type(error).__name__, message=message(error))

#include "core.h"

#include <napi.h>

#include <vector>

// What a core says, on its way to Node's thread: many events to a wake-up when that thread is busy.
class Outbox {
public:
    // `before` hears of each event ahead of the listener, `closed` when the last one has been delivered.
    Outbox(Napi::Env env, const Napi::Function & listener, std::function<void(const CoreEvent &)> before,
           std::function<void()> closed) :
        listener(Napi::Persistent(listener)), before(std::move(before)), closed(std::move(closed)) {
        const auto name = Napi::String::New(env, "llamacpp_native");
        napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, deliver, &wake);
    }

    void add(CoreEvent && event) {
        std::lock_guard<std::mutex> lock(mutex);
        if (ended) return;
        // Pieces of one answer that wait together travel as one.
        if (event.kind == CoreEvent::DATA && !events.empty() && events.back().kind == CoreEvent::DATA &&
            events.back().id == event.id) {
            events.back().text += event.text;
            return;
        }
        events.push_back(std::move(event));
        if (events.size() == 1) napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking);
    }

    // Whether Node has to stay for what is still to come.
    void keep_alive(Napi::Env env, bool yes) {
        if (ended) return;
        if (yes) napi_ref_threadsafe_function(env, wake);
        else napi_unref_threadsafe_function(env, wake);
    }

    // Nothing is delivered any more.
    void end() {
        std::lock_guard<std::mutex> lock(mutex);
        if (ended) return;
        ended = true;
        napi_release_threadsafe_function(wake, napi_tsfn_abort);
    }

private:
    static void deliver(napi_env raw, napi_value, void * context, void *) {
        auto & self = *static_cast<Outbox *>(context);
        if (raw == nullptr) return;
        const Napi::Env env(raw);
        const Napi::HandleScope scope(env);
        std::vector<CoreEvent> batch;
        {
            std::lock_guard<std::mutex> lock(self.mutex);
            batch.swap(self.events);
        }
        auto flat = Napi::Array::New(env, batch.size() * 4);
        uint32_t at = 0;
        for (const auto & event : batch) {
            self.before(event);
            flat.Set(at++, Napi::Number::New(env, event.kind));
            flat.Set(at++, Napi::Number::New(env, event.id));
            flat.Set(at++, Napi::Number::New(env, event.number));
            if (event.kind == CoreEvent::DATA) {
                flat.Set(at++, Napi::Buffer<char>::Copy(env, event.text.data(), event.text.size()));
            } else {
                flat.Set(at++, Napi::String::New(env, event.text));
            }
        }
        const bool last = !batch.empty() && batch.back().kind == CoreEvent::CLOSED;
        self.listener.Call({flat});
        if (last) self.closed();
    }

    napi_threadsafe_function                     wake = nullptr;
    Napi::FunctionReference                      listener;
    const std::function<void(const CoreEvent &)> before;
    const std::function<void()>                  closed;
    std::mutex                                   mutex;
    std::vector<CoreEvent>                       events;
    bool                                         ended = false;
};

// JavaScript's `Core`; see ../src/core/addon.ts for its type.
class CoreObject : public Napi::ObjectWrap<CoreObject> {
public:
    static Napi::Function define(Napi::Env env) {
        return DefineClass(env, "Core", {
            InstanceMethod<&CoreObject::request>("request"),
            InstanceMethod<&CoreObject::cancel>("cancel"),
            InstanceMethod<&CoreObject::close>("close"),
            InstanceMethod<&CoreObject::end>("end"),
        });
    }

    explicit CoreObject(const Napi::CallbackInfo & info) : Napi::ObjectWrap<CoreObject>(info) {
        const auto given = info[0].As<Napi::Object>();
        const auto text = [&](const char * name) { return given.Get(name).As<Napi::String>().Utf8Value(); };
        const auto integer = [&](const char * name) { return given.Get(name).As<Napi::Number>().Int32Value(); };
        CoreSettings settings;
        settings.model          = text("model");
        settings.alias          = text("alias");
        settings.mmproj         = text("mmproj");
        settings.context_tokens = integer("contextTokens");
        settings.parallel       = integer("parallel");
        settings.threads        = integer("threads");
        settings.gpu_layers     = integer("gpuLayers");
        settings.cache_mib      = integer("cacheMiB");
        settings.pooling        = integer("pooling");
        settings.embedding      = given.Get("embedding").As<Napi::Boolean>().Value();
        settings.log            = given.Get("log").As<Napi::Boolean>().Value();
        outbox = std::make_unique<Outbox>(info.Env(), info[1].As<Napi::Function>(),
                                          [this](const CoreEvent & event) { settle(event); },
                                          [this] { release(); });
        core   = std::make_unique<Core>(settings, [this](CoreEvent && event) { outbox->add(std::move(event)); });
        // Until it is loaded.
        busy = 1;
        loading = true;
        Ref();
        napi_add_env_cleanup_hook(info.Env(), at_exit, this);
    }

private:
    // A thread ends without close(): llama.cpp's threads must be gone before its memory is.
    static void at_exit(void * self) {
        static_cast<CoreObject *>(self)->end_now();
    }

    void end_now() {
        outbox->end();
        core.reset();
    }

    void end(const Napi::CallbackInfo &) {
        end_now();
    }

    Napi::Value request(const Napi::CallbackInfo & info) {
        if (closing || !core) {
            Napi::Error::New(info.Env(), "the core is closed").ThrowAsJavaScriptException();
            return info.Env().Undefined();
        }
        const int id = ++last_id;
        count(+1);
        core->request(id, info[0].As<Napi::String>(), info[1].As<Napi::String>());
        return Napi::Number::New(info.Env(), id);
    }

    void cancel(const Napi::CallbackInfo & info) {
        if (core) core->cancel(info[0].As<Napi::Number>());
    }

    void close(const Napi::CallbackInfo &) {
        if (closing || !core) return;
        closing = true;
        count(+1);
        core->close();
    }

    // In Node's thread, before JavaScript hears of the event.
    void settle(const CoreEvent & event) {
        switch (event.kind) {
            case CoreEvent::LOADED:
            case CoreEvent::FAILED:
                // It may fail once more when it has been loaded.
                if (loading) count(-1);
                loading = false;
                break;
            case CoreEvent::END:
                core->forget(event.id);
                count(-1);
                break;
            default:
                break;
        }
    }

    void release() {
        napi_remove_env_cleanup_hook(Env(), at_exit, this);
        core.reset();
        outbox->end();
        Unref();
    }

    void count(int change) {
        const bool was = busy > 0;
        busy += change;
        if (was != (busy > 0)) outbox->keep_alive(Env(), busy > 0);
    }

    std::unique_ptr<Outbox> outbox;
    std::unique_ptr<Core>   core;
    int                     last_id = 0;
    int                     busy    = 0;
    bool                    loading = false;
    bool                    closing = false;
};

static Napi::Object init(Napi::Env env, Napi::Object exports) {
    exports.Set("Core", CoreObject::define(env));
    exports.Set("build", LLAMACPP_NATIVE_BUILD);
    return exports;
}

NODE_API_MODULE(llamacpp_native, init)

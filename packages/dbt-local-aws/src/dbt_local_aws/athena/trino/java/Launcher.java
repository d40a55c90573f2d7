package io.trino.server;

import com.google.inject.Inject;
import com.google.inject.Module;
import io.trino.plugin.hive.HivePlugin;
import io.trino.plugin.iceberg.IcebergPlugin;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * Trino's server with the two connectors on its own class path, so that one class archive holds all of it.
 *
 * It lives as long as its standard input is open: who started it holds the other end, and however that process ends,
 * the end is closed. Then the folder named by the property local.folder is removed, unless local.archive is set: a class
 * archive is only written on an orderly exit.
 */
public final class Launcher
        extends Server
{
    private Launcher() {}

    public static void main(String[] arguments)
    {
        Thread.ofPlatform().daemon().name("end-with-parent").start(Launcher::endWithParent);
        new Launcher().start(System.getProperty("local.version"));
    }

    @Override
    protected Iterable<? extends Module> getAdditionalModules()
    {
        return List.of(binder -> binder.bind(Connectors.class).asEagerSingleton());
    }

    private static void endWithParent()
    {
        try {
            while (System.in.read() != -1) {
                // nothing is said on it
            }
        }
        catch (IOException e) {
            // as good as closed
        }
        if (Boolean.getBoolean("local.archive")) {
            System.exit(0);
        }
        remove(Path.of(System.getProperty("local.folder")));
        Runtime.getRuntime().halt(0);
    }

    private static void remove(Path folder)
    {
        try (var paths = Files.walk(folder)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        }
        catch (IOException e) {
            // it is gone already
        }
    }

    static final class Connectors
    {
        @Inject
        Connectors(PluginInstaller installer)
        {
            installer.installPlugin(new HivePlugin());
            installer.installPlugin(new IcebergPlugin());
        }
    }
}

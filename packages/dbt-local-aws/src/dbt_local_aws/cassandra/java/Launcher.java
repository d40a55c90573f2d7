import org.apache.cassandra.service.CassandraDaemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/**
 * Cassandra, which lives as long as its standard input is open: who started it holds the other end, and however that
 * process ends, the end is closed. Then the folder named by the property local.folder is removed.
 */
public final class Launcher
{
    private Launcher() {}

    public static void main(String[] arguments)
    {
        Thread watch = new Thread(Launcher::endWithParent, "end-with-parent");
        watch.setDaemon(true);
        watch.start();
        CassandraDaemon.main(arguments);
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
        remove(Path.of(System.getProperty("local.folder")));
        Runtime.getRuntime().halt(0);
    }

    private static void remove(Path folder)
    {
        try (var paths = Files.walk(folder)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        }
        catch (IOException | java.io.UncheckedIOException e) {
            // a file went while the others were listed
        }
    }
}
